"""The limits themselves: each ends what it is for, as an answer; and what the child may know."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.jobs.local_renderer import LocalRenderer
from gpu.contract import ProbeRequest
from gpu.render.errors import MediaFailure
from gpu.render.metered import MeteredFile
from tests.app.waiting import until_true
from tests.gpu.hostile.seed import Seed
from tests.gpu.render.storage import Storage, serving

SECRETS = ("R2_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY", "MODAL_TOKEN_SECRET", "DATABASE_URL", "SESSION_KEY")
PATIENCE = 250
"""Seconds; bounds a hang only."""
LIMITED = f"""
import json, resource, sys
from dataclasses import replace
from gpu.render.errors import MediaFailure
from gpu.render.limits import Limits, limited
small = Limits(memory_bytes=256 << 20, cpu_seconds={PATIENCE}, wall_seconds={PATIENCE}, written_bytes=1 << 20)
deed, before, smaller = sys.argv[1:]
exec(before)
try:
    with limited(replace(small, **json.loads(smaller))):
        exec(deed)
        answer = ["done", ""]
except MediaFailure as failure:
    answer = [failure.code, failure.message]
print(json.dumps(answer))
"""


@pytest.fixture
def storage() -> Iterator[Storage]:
    with serving() as running:
        yield running


def limited(deed: str, smaller: Mapping[str, float] | None = None, before: str = "") -> tuple[str, str]:
    """Code and message for a deed within limits, of which those of time are small only where a test makes them so.

    `before` is done first, but after the imports: what that limits would else cut off bytecode that others read.
    """
    command = [sys.executable, "-c", LIMITED, deed, before, json.dumps(smaller or {})]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    code, message = json.loads(done.stdout)
    return code, message


@pytest.mark.parametrize(
    ("deed", "smaller", "code", "words"),
    [
        ("pass", {}, "done", ""),
        ("bytearray(100 << 20)", {}, "done", ""),
        ("bytearray(300 << 20)", {}, "unsupported_media", "too much memory"),
        ("import threading; threading.Event().wait()", {"wall_seconds": 0.5}, "unsupported_media", "longer than 0.5 s"),
        ("while True: pass", {"cpu_seconds": 1}, "unsupported_media", "computing"),
        ("import tempfile; tempfile.TemporaryFile().write(bytes(2 << 20))", {}, "bad_spec", "larger than"),
    ],
    ids=["nothing", "a-little", "memory", "wall", "cpu", "written"],
)
def test_a_limit_is_an_answer(deed: str, smaller: dict[str, float], code: str, words: str) -> None:
    answered, message = limited(deed, smaller)
    assert answered == code
    assert words in message


def test_files_cannot_be_opened_without_end() -> None:
    assert limited(
        "import os\ntry:\n    [os.dup(0) for _ in range(99)]\nexcept OSError: pass\nelse: raise SystemExit(1)"
    )


def test_a_lower_limit_of_the_machine_stays() -> None:
    deed = "assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == 1000"
    before = "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))"
    assert limited(deed, before=before) == ("done", "")


def test_a_file_is_read_only_so_far(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(3000))
    with (tmp_path / "file").open("rb") as file:
        metered = MeteredFile(file, 2000)
        metered.read(2000)
        metered.seek(0)
        with pytest.raises(MediaFailure) as refused:
            metered.read(1)
    assert refused.value.code == "unsupported_media"


def endless(chunk: bytes, released: threading.Event, chunked: bool) -> Any:
    """Answers a range with a body that never ends: as fast as it is read, or a byte now and then."""

    def answer(handler: Any) -> None:
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes 0-1048575/{2**62}")
        handler.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(2**62))))
        handler.end_headers()
        framed = b"%x\r\n%s\r\n" % (len(chunk), chunk) if chunked else chunk
        handler.close_connection = True
        try:
            while not released.wait(0 if len(chunk) > 1 else 0.1):
                handler.wfile.write(framed)
        except OSError:
            return

    return answer


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_without_end_is_cut_off(storage: Storage, seed: Seed, chunked: bool) -> None:
    storage.faults = [endless(seed.ts, storage.released, chunked) for _ in range(5)]
    answer = await LocalRenderer().probe(ProbeRequest(source_url=storage.url("stream")))
    assert answer.error is not None
    assert answer.error.code == "source_unreachable"


def test_a_body_that_drips_ends_with_the_time(storage: Storage) -> None:
    storage.faults = [endless(b"x", storage.released, chunked=False)]
    code = (
        "import dataclasses, sys; from gpu.render import limits, __main__ as command\n"
        "limits.PROBE = dataclasses.replace(limits.PROBE, wall_seconds=2)\n"
        "sys.argv = ['gpu.render', '--request', 'probe']; sys.exit(command.main())"
    )
    request = ProbeRequest(source_url=storage.url("stream")).model_dump_json()
    done = subprocess.run([sys.executable, "-c", code], input=request, capture_output=True, text=True, timeout=PATIENCE)
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"]) == (0, "unsupported_media")
    assert "longer than 2 s" in error["message"]


async def test_the_child_knows_no_secret(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.setenv(name, f"hidden-{name}")
    storage.hold("GET")
    probing = asyncio.create_task(LocalRenderer().probe(ProbeRequest(source_url=storage.url("game.mp4"))))
    await until_true(storage.arrived.is_set)
    (child,) = [one for one in psutil.Process().children() if "gpu.render" in one.cmdline()]
    known = Path(f"/proc/{child.pid}/environ").read_bytes().decode()
    line = " ".join(child.cmdline())
    probing.cancel()
    await asyncio.wait([probing])
    assert "PATH=" in known
    assert "hidden" not in known + line
    assert not {name.partition("=")[0] for name in known.split("\0")} & set(SECRETS)
