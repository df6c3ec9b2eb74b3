"""The real `modal deploy` of apps whose images copy files and run commands."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import modal
import pytest
from modal_proto import api_pb2

from infra.localcloud.modal import Modal, confine
from infra.sources import ROOT
from tests.infra.localcloud.modal.harness import ENVIRONMENT, Finished, modal_cli, stub

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(not confine.is_supported(), reason="builds need Linux with Landlock"),
]

APP = """
import os
from pathlib import Path, PurePosixPath

import modal

app = modal.App("built")
image = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install("a-package-that-is-nowhere")
    .add_local_dir("words", str(PurePosixPath("/root", "words")), copy=True, ignore=["**/*.txt"])
    .add_local_file("note.txt", "/data/note.txt", copy=True)
    .run_commands(COMMAND)
    .env({"NOTE": "/data/note.txt", "MADE": "/made", "ROUTE": "/api/v1"})
)


@app.function(image=image)
def read() -> dict[str, object]:
    from words import greeting

    made = Path(os.environ["MADE"])
    return {
        "module": greeting.TEXT,
        "copied": Path(os.environ["NOTE"]).read_text(),
        "made": sorted(path.name for path in made.iterdir()),
        "id": (made / "id").read_text(),
        "route": os.environ["ROUTE"],
        "ignored": Path(greeting.__file__).with_name("secret.txt").exists(),
    }
"""
MAKE = (
    "mkdir /made && cd /root && python -c 'import uuid; print(uuid.uuid4())' > /made/id && cp words/greeting.py /made"
)


async def _deploy(cloud: Modal, folder: Path, *commands: str) -> Finished:
    (folder / "words").mkdir(exist_ok=True)
    (folder / "words" / "greeting.py").write_text('TEXT = "hello"\n')
    (folder / "words" / "secret.txt").write_text("not this")
    (folder / "note.txt").write_text("a note")
    (folder / "built.py").write_text(APP.replace("COMMAND", ", ".join(map(repr, commands))))
    return await modal_cli(cloud.server_url, "deploy", "built.py", "--env", ENVIRONMENT, cwd=folder)


async def _read(client: modal.Client) -> dict[str, Any]:
    read = modal.Function.from_name("built", "read", environment_name=ENVIRONMENT, client=client)
    seen: dict[str, Any] = await read.remote.aio()
    return seen


async def test_copied_files_commands_and_variables_are_in_the_image_which_is_built_once(
    cloud: Modal, client: modal.Client, tmp_path: Path
) -> None:
    first = await _deploy(cloud, tmp_path, MAKE)
    assert first.returncode == 0, first.output
    assert "=> RUN mkdir /made" in first.output
    seen = await _read(client)
    assert {name: value for name, value in seen.items() if name != "id"} == {
        "module": "hello",
        "copied": "a note",
        "made": ["greeting.py", "id"],
        "route": "/api/v1",
        "ignored": False,
    }

    second = await _deploy(cloud, tmp_path, MAKE)
    assert second.returncode == 0, second.output
    assert "=> RUN" not in second.output
    assert (await _read(client))["id"] == seen["id"]


async def test_a_command_that_fails_fails_the_deploy_and_the_earlier_one_stays(
    cloud: Modal, client: modal.Client, tmp_path: Path
) -> None:
    assert (await _deploy(cloud, tmp_path, MAKE)).returncode == 0
    version, seen = await _version(client), await _read(client)
    for _ in range(2):
        failed = await _deploy(cloud, tmp_path, MAKE, "echo what went wrong; exit 3")
        assert failed.returncode != 0
        assert "what went wrong" in failed.output.replace("echo what went wrong", "")
        assert "it exited with status 3" in failed.output
    assert await _version(client) == version
    assert await _read(client) == seen


async def _version(client: modal.Client) -> int:
    app = await modal.App.lookup.aio("built", environment_name=ENVIRONMENT, client=client)
    found = await stub(client).AppGetLifecycle(api_pb2.AppGetLifecycleRequest(app_id=app.app_id or ""))
    return int(found.lifecycle.version)


def _outside_root(folder: Path) -> modal.Image:
    return modal.Image.debian_slim().add_local_file(folder / "file", "/data/file")


def _with_a_secret(_: Path) -> modal.Image:
    return modal.Image.debian_slim().run_commands("true", secrets=[modal.Secret.from_dict({"A": "b"})])


def _from_dockerfile(folder: Path) -> modal.Image:
    (folder / "Dockerfile").write_text("FROM python:3.11\nCOPY file /file\n")
    return modal.Image.from_dockerfile(folder / "Dockerfile", context_dir=folder)


@pytest.mark.parametrize(
    ("image", "why"),
    [
        (_outside_root, "a file outside /root"),
        (_with_a_secret, "secrets and volumes of a build"),
        (_from_dockerfile, "Image.from_dockerfile"),
    ],
)
async def test_an_image_that_would_be_another_one_here_is_refused_by_name(
    client: modal.Client, tmp_path: Path, image: Callable[[Path], modal.Image], why: str
) -> None:
    (tmp_path / "file").write_text("text")
    refused = modal.App("refused-image")
    refused.function(serialized=True, name="work", image=image(tmp_path))(lambda: None)
    with pytest.raises(modal.exception.UnimplementedError, match=why):
        await refused.deploy.aio(environment_name="main", client=client)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def weights(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder that is served, and its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


async def _deploy_media(cloud: Modal, folder: Path, lock: dict[str, Any]) -> Finished:
    """Deploys gpu.app with the packages that its image of networks names and another lock of weights."""
    (folder / "weights.lock").write_text(json.dumps(lock))
    (folder / "media.py").write_text(
        f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from pathlib import Path\nimport gpu.weights.lock\n"
        'gpu.weights.lock.LOCK = Path("weights.lock").absolute()\n'
        "from gpu.app import app, with_networks\nassert with_networks\n"
    )
    return await modal_cli(cloud.server_url, "deploy", "media.py", "--env", ENVIRONMENT, cwd=folder)


async def test_the_image_with_networks_fetches_its_weights_and_refuses_other_bytes(
    cloud: Modal, client: modal.Client, tmp_path: Path, weights: tuple[Path, str]
) -> None:
    folder, address = weights
    entries = []
    for name in ("rf-detr-small", "realesr-general-x4v3"):
        data = f"weights of {name}".encode()
        (folder / name).write_bytes(data)
        entry = {"name": name, "file": f"{name}.pth", "url": f"{address}/{name}", "licence": "MIT"}
        entries.append({**entry, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)})
    values = tmp_path / "hosts.json"
    values.write_text('{"MEDIA_HOSTS": "127.0.0.1"}')
    created = await modal_cli(
        cloud.server_url, "secret", "create", "reel-ballers-gpu", "--from-json", str(values), "--env", ENVIRONMENT
    )
    assert created.returncode == 0, created.output

    wrong = [entries[0], {**entries[1], "sha256": "0" * 64}]
    refused = await _deploy_media(cloud, tmp_path, {"weights": wrong})
    assert refused.returncode != 0
    assert "weights: realesr-general-x4v3 is not the locked file: its sha256 is" in refused.output

    deployed = await _deploy_media(cloud, tmp_path, {"weights": entries})
    assert deployed.returncode == 0, deployed.output
    assert "realesr-general-x4v3: fetched" in deployed.output
    track = modal.Function.from_name("reel-ballers", "track", environment_name=ENVIRONMENT, client=client)
    assert (await track.remote.aio({}))["error"]["code"] == "bad_spec"
