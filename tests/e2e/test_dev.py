"""`make dev`: both servers against the local cloud, on the ports that the deployed stack has lent."""

import os
import signal
from collections.abc import Callable

import httpx
import psutil
import pytest

from infra.deploy.retry import wait_for
from tests.e2e.system import System

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

TIMEOUT_S = 300


def becomes(url: str, wanted: Callable[[httpx.Response], bool]) -> bool:
    """Whether the address answers 200 with what is wanted before the time is up."""

    def probe() -> bool | None:
        try:
            answer = httpx.get(url, timeout=5)
        except httpx.HTTPError:
            return None
        return True if answer.status_code == 200 and wanted(answer) else None

    return wait_for(probe, timeout_s=TIMEOUT_S) is True


def test_dev_borrows_the_ports_and_gives_them_back(system: System, first_up: str) -> None:
    api, site = system.outputs["api_url"], system.outputs["app_url"]
    deployed = httpx.get(f"{api}/api/health", timeout=60).json()["version"]
    process = system.start("dev")
    try:
        assert becomes(f"{api}/api/health", lambda answer: answer.json()["version"] != deployed)
        assert becomes(site, lambda answer: "/@vite/client" in answer.text)
        # Through Vite's proxy to the API, and from there to the bucket with a key of its own.
        assert becomes(f"{site}/config.json", lambda answer: answer.json() == {"apiUrl": ""})
        assert becomes(f"{site}/api/ready", lambda answer: answer.json()["checks"]["storage"] == "ok")
        servers = psutil.Process(process.pid).children(recursive=True)
        assert len(servers) >= 3
    finally:
        os.killpg(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=120)
    assert "stopping" in said, said
    _, alive = psutil.wait_procs(servers, timeout=120)
    assert alive == []
    assert becomes(f"{api}/api/health", lambda answer: answer.json()["version"] == deployed)
    assert becomes(site, lambda answer: "/@vite/client" not in answer.text)
