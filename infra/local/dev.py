"""make dev: the API with reload and Vite, against the local cloud, in one terminal. Ctrl-C ends both.

The two ports that users see are borrowed from the deployed stack and given back at the end. The API gets a bucket key
of its own, which is revoked at the end.
"""

import hashlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from infra.components.storage import BUCKET_ITEM_WRITE
from infra.config import StackConfig
from infra.fly_config import environment
from infra.local import cloud
from infra.local.apply import apply
from infra.local.console import heading, say
from infra.local.paths import PYTHON
from infra.localcloud.ports import Ports
from infra.localcloud.stackfile import credentials, local_config
from infra.sources import ROOT

PORT_TIMEOUT_S = 30


class DevError(Exception):
    """A dev server could not be started; the message says which and why."""


def dev() -> None:
    """Runs until Ctrl-C or until one of the two servers ends."""
    cloud.ensure()
    apply()
    config = local_config()
    ports = Ports.of(config)
    with _borrowed_ports(ports), _bucket_key(config) as key:
        api = {**os.environ, **environment(config), **credentials(), **key, "DEBUG": "true"}
        api |= {"CLEAR_PENDING_JOBS_ON_STARTUP": "true", "PYTHONDONTWRITEBYTECODE": "1"}
        web = {**os.environ, "PATH": f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
        web |= {"VITE_DEV_API": f"http://127.0.0.1:{ports.api}"}
        heading("dev")
        say(f"API  http://127.0.0.1:{ports.api}  (reload on a change in app/ or gpu/)")
        say(f"web  http://127.0.0.1:{ports.site}")
        _run_both(_api_command(ports), api, _web_command(ports), web)


def _api_command(ports: Ports) -> list[str]:
    reload = ["--reload", "--reload-dir", "app", "--reload-dir", "gpu"]
    return [str(PYTHON), "-m", "uvicorn", "app.main:app", "--port", str(ports.api), *reload]


def _web_command(ports: Ports) -> list[str]:
    options = ["--host", "127.0.0.1", "--port", str(ports.site), "--strictPort"]
    return [str(ROOT / ".venv/bin/npm"), "run", "dev", "--", *options]


def _run_both(api: list[str], api_env: dict[str, str], web: list[str], web_env: dict[str, str]) -> None:
    servers = [
        subprocess.Popen(api, cwd=ROOT, env=api_env, start_new_session=True),
        subprocess.Popen(web, cwd=ROOT / "app/web", env=web_env, start_new_session=True),
    ]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        while all(server.poll() is None for server in servers):
            time.sleep(0.2)
    except KeyboardInterrupt:
        say("stopping")
    finally:
        for server in servers:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGTERM)
            server.wait()


@contextmanager
def _borrowed_ports(ports: Ports) -> Iterator[None]:
    cloud.lend_fronts()
    try:
        deadline = time.monotonic() + PORT_TIMEOUT_S
        while busy := [port for port in (ports.api, ports.site) if not _free(port)]:
            if time.monotonic() > deadline:
                raise DevError(f"port {busy[0]} is in use by something else than the local cloud")
            time.sleep(0.05)
        yield
    finally:
        cloud.take_fronts_back()


@contextmanager
def _bucket_key(config: StackConfig) -> Iterator[dict[str, str]]:
    tokens = f"{config.cloudflare_url}/accounts/{config.account_id}/tokens"
    headers = {"Authorization": f"Bearer {credentials()['CLOUDFLARE_API_TOKEN']}"}
    resource = f"com.cloudflare.edge.r2.bucket.{config.account_id}_default_{config.bucket}"
    policy = {"effect": "allow", "permission_groups": [{"id": BUCKET_ITEM_WRITE}], "resources": {resource: "*"}}
    body = json.dumps({"name": "reel-ballers-dev", "policies": [policy]})
    answer = httpx.post(tokens, headers=headers, content=body)
    answer.raise_for_status()
    token = answer.json()["result"]
    try:
        secret = hashlib.sha256(token["value"].encode()).hexdigest()
        yield {"R2_ACCESS_KEY_ID": token["id"], "R2_SECRET_ACCESS_KEY": secret}
    finally:
        httpx.delete(f"{tokens}/{token['id']}", headers=headers).raise_for_status()


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
