"""A copy of the repository that can be applied in about a second, against stand-ins in this process.

Real: the Pulumi program, the rehearsal, every step of infra.deploy, the stand-ins' flyctl, the real `modal` client, the
processes of the machines. Replaced: fresh interpreters by forks of a warm one, `npm run build` by a page of two files,
`wrangler` by its recorded calls, the backend by a server that answers its health.
"""

import contextlib
import json
import marshal
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from infra.config import StackConfig
from infra.localcloud.fly.deploy import rollout
from infra.localcloud.stackfile import credentials
from tests.e2e.system import copy_of_the_repository
from tests.faults import ports
from tests.faults.clouds import Clouds
from tests.faults.forked import Command, fork_server, run
from tests.faults.forks import client
from tests.infra.localcloud.r2.running import Account

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

HERE = Path(__file__).parent
TOOLS = {
    ".local/bin/flyctl": "infra.localcloud.fly.flyctl",
    ".venv/bin/npm": "tests.faults.stage.npm",
    "app/web/node_modules/.bin/wrangler": "tests.faults.stage.wrangler",
}


@dataclass
class Scene:
    root: Path
    address: Path
    clouds: Clouds

    @property
    def state(self) -> Path:
        return self.root / ".local/stacks/local.json"

    @contextlib.contextmanager
    def gate(self, opens: Callable[[str, list[str]], bool]) -> Iterator[None]:
        """Asks before a command begins ("before") and when it has ended ("after") whether it may go on."""
        path = self.address.with_name("gate")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen(32)
            thread = threading.Thread(target=_answer, args=(listener, opens), daemon=True)
            thread.start()
            try:
                yield
            finally:
                path.unlink()
                listener.shutdown(socket.SHUT_RDWR)
                thread.join(30)

    def start(self, verb: str, *words: str) -> Command:
        """`python -m infra.rehearsal VERB` of the stack `local`."""
        command = ["-m", "infra.rehearsal", verb, "--stack", "local", "--env-file", "infra/local.env", *words]
        return run(self.address, command, self.root, self.environment)

    def begin_step(self, words: str, inputs: Mapping[str, Any]) -> Command:
        """`python -m infra.deploy WORDS` alone."""
        command = ["-m", "infra.deploy", *words.split()]
        return run(self.address, command, self.root, self.environment, json.dumps(inputs))

    def rehearse(self, verb: str, *words: str) -> tuple[int, str]:
        """Exit status and everything it said."""
        return self.start(verb, *words).wait()

    @property
    def environment(self) -> dict[str, str]:
        clouds = ("PULUMI", "CLOUDFLARE", "FLY", "MODAL", "AWS")
        ambient = {name: value for name, value in os.environ.items() if not name.startswith(clouds)}
        path = f"{self.root / '.local/bin'}{os.pathsep}{os.environ['PATH']}"
        return {**ambient, **credentials(), "PATH": path, "PYTHONPATH": str(self.root)}

    @contextlib.contextmanager
    def bucket(self) -> Iterator["S3Client | None"]:
        """A client of the data bucket with a key of its own, or None while there is no bucket."""
        r2, name = self.clouds.r2, self.clouds.config.bucket
        if not r2.control.has_bucket(name):
            yield None
            return
        account = Account(r2.url, name, "key-of-the-tests")
        r2.control.grant(account.access_key_id, account.secret, name, "write")
        try:
            yield account.s3()
        finally:
            r2.control.revoke(account.access_key_id)

    def reset(self, snapshot: Path | None = None) -> None:
        """Clouds and state as in the snapshot, or nothing at all."""
        shutil.rmtree(self.state.parent, ignore_errors=True)
        if snapshot:
            shutil.copytree(snapshot / "stacks", self.state.parent)
        self.clouds.reset(snapshot / "clouds" if snapshot else None)

    def snapshot(self, folder: Path) -> None:
        shutil.copytree(self.state.parent, folder / "stacks")
        self.clouds.snapshot(folder / "clouds")


def _answer(listener: socket.socket, opens: Callable[[str, list[str]], bool]) -> None:
    while True:
        try:
            asked, _ = listener.accept()
        except OSError:
            return
        with asked, contextlib.suppress(ConnectionError):
            moment, words = marshal.loads(asked.recv(65536))
            asked.sendall(b"g" if opens(moment, words) else b"x")


@contextlib.contextmanager
def scene(folder: Path) -> Iterator[Scene]:
    root, address = folder / "repository", folder / "forks"
    copy_of_the_repository(root)
    ports.settle(root / "Pulumi.local.yaml")
    _replace(root, address)
    with pytest.MonkeyPatch.context() as patch, fork_server(root, address):
        patch.setattr(rollout, "SMOKE_S", 0.05)
        clouds = Clouds(_config(root), folder / "clouds")
        try:
            yield Scene(root, address, clouds)
        finally:
            clouds.close()


def _config(root: Path) -> StackConfig:
    document = yaml.safe_load((root / "Pulumi.local.yaml").read_text())
    known = credentials()
    tokens = {"reel:modalTokenId": known["MODAL_TOKEN_ID"], "reel:modalTokenSecret": known["MODAL_TOKEN_SECRET"]}
    return StackConfig.parse("local", {**document["config"], **tokens})


def _replace(root: Path, address: Path) -> None:
    """Nothing of the copy stays linked to what is installed."""
    (root / ".venv").unlink()
    (root / "app/web/node_modules").unlink()
    for name in ("app", "gpu"):
        shutil.rmtree(root / name)
    shutil.copytree(HERE / "stage/repository", root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    python = root / ".venv/bin/python"
    client(python, address, address.with_name("gate"))
    for name, module in TOOLS.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\nexec "{python}" -m {module} "$@"\n')
        path.chmod(0o755)
    (root / ".venv/bin/node").symlink_to("/bin/true")
    shutil.copy2(root / "app/web/package-lock.json", root / "app/web/node_modules/.package-lock.json")
