"""The local cloud's process: started once, found again by its record, stopped with everything it started."""

import contextlib
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass

import psutil

from infra.local.paths import CLOUD, CLOUD_LOG, CLOUD_RECORD, PYTHON, shown
from infra.sources import ROOT, Shipment, content_hash

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 40
CODE = Shipment(("infra/localcloud", "infra/local.env", "Pulumi.local.yaml", "requirements/dev.lock"))


class CloudError(Exception):
    """The local cloud did not start or stop; the message has its last words."""


@dataclass(frozen=True)
class Record:
    """`started`: when the process began, so that a reused pid is not taken for ours."""

    pid: int
    started: float
    code: str


def running() -> Record | None:
    """The recorded process if it is alive."""
    try:
        record = Record(**json.loads(CLOUD_RECORD.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return record if _start_time(record.pid) == record.started else None


def ensure() -> bool:
    """Start the local cloud, or start it again when its code or its stack file changed; True if it was started."""
    found, code = running(), content_hash(CODE)
    if found and found.code == code:
        return False
    if found:
        stop()
    _start(code)
    return True


def stop() -> bool:
    """Ends the process and waits for it; False when none runs."""
    found = running()
    if found is None:
        CLOUD_RECORD.unlink(missing_ok=True)
        return False
    os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while running():
        if time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.kill(found.pid, signal.SIGKILL)
            break
        time.sleep(0.05)
    CLOUD_RECORD.unlink(missing_ok=True)
    return True


def lend_fronts() -> None:
    """Free the ports of the API and the site for a dev server."""
    _signal(signal.SIGUSR1)


def take_fronts_back() -> None:
    _signal(signal.SIGUSR2)


def _signal(number: signal.Signals) -> None:
    found = running()
    if found:
        os.kill(found.pid, number)


def _start(code: str) -> None:
    CLOUD.mkdir(parents=True, exist_ok=True, mode=0o700)
    with CLOUD_LOG.open("wb") as log:
        process = subprocess.Popen(
            [str(PYTHON), "-m", "infra.localcloud", "serve", "--state", str(CLOUD)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_TIMEOUT_S
    while '"ready": true' not in CLOUD_LOG.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            said = CLOUD_LOG.read_text(errors="replace").strip().splitlines()[-5:]
            raise CloudError("the local cloud did not start: " + ("\n".join(said) or f"see {shown(CLOUD_LOG)}"))
        time.sleep(0.05)
    record = Record(process.pid, _start_time(process.pid) or 0.0, code)
    CLOUD_RECORD.write_text(json.dumps(record.__dict__))


def _start_time(pid: int) -> float | None:
    """When a living process began, in seconds; None for one that is gone or only waits to be collected."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return None
