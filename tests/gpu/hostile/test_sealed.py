"""No file of the corpus makes the program open a file or a socket: the kernel kills what tries."""

import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gpu.contract import ProbeRequest
from tests.gpu.hostile import playlists
from tests.gpu.hostile.corpus import kinds, write_corpus
from tests.gpu.hostile.seal import has_seal
from tests.gpu.hostile.seed import Seed
from tests.gpu.hostile.trap import Trap
from tests.gpu.render.storage import Storage

needs_seal = pytest.mark.skipif(not has_seal(), reason="the seccomp filter is written for Linux on x86_64 and aarch64")
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
ROOT = Path(__file__).parents[3]
UNLISTED = """
import sys
import av
opened = av.open
def without_lists(file, mode, options, **rest):
    lists = ("format_whitelist", "protocol_whitelist")
    return opened(file, mode, options={key: value for key, value in options.items() if key not in lists}, **rest)
av.open = without_lists
"""
"""Takes the lists away, as a mistake in `media.py` would."""
REFERRING = (*kinds(playlists), "bait_in_a_reference", "lure_in_a_reference_movie")


def python(code: str, *words: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """In `folder`, where a playlist that names a neighbour looks for it."""
    command, known = [sys.executable, "-c", code, *words], {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False, cwd=folder, env=known)


@pytest.fixture(scope="module")
def corpus(seed: Seed, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_corpus(tmp_path_factory.mktemp("corpus"), seed)


@pytest.fixture(scope="module")
def good(seed: Seed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("good") / "good.mp4"
    path.write_bytes(seed.mp4)
    return path


SEALED = "import sys; from tests.gpu.hostile.sealed import main; main(*sys.argv[1:])"


@needs_seal
@pytest.mark.parametrize("deed", ["open('/etc/passwd')", "socket.socket()", "os.execv('/bin/true', ['true'])"])
def test_the_seal_kills_what_opens_anything(deed: str) -> None:
    done = python(f"import os, socket; from tests.gpu.hostile.seal import seal; seal(); {deed}")
    assert done.returncode == -signal.SIGSYS, done.stderr


@needs_seal
@pytest.mark.timeout(2400)  # for a hang: a process for each file of the corpus took 393 s on a busy machine
def test_nothing_is_opened_for_any_file(good: Path, corpus: dict[str, Path], trapped: Trap) -> None:
    def probed(path: Path) -> subprocess.CompletedProcess[str]:
        return python(SEALED, str(good), str(trapped.bait), str(path), folder=trapped.bait.parent)

    with ThreadPoolExecutor(2) as pool:
        done = dict(zip(corpus, pool.map(probed, corpus.values()), strict=True))
    assert {name: one.stderr for name, one in done.items() if one.returncode or not one.stdout.startswith("{")} == {}


@needs_seal
@pytest.mark.parametrize("name", ["concat_of_a_neighbour", "sdp"])
def test_without_the_lists_the_seal_is_broken(good: Path, corpus: dict[str, Path], trapped: Trap, name: str) -> None:
    """By a file and by a socket; or the test above could not fail."""
    done = python(UNLISTED + SEALED, str(good), str(corpus[name]), folder=trapped.bait.parent)
    assert done.returncode == -signal.SIGSYS, done.stderr


def test_without_the_lists_the_trap_springs(trapped: Trap, corpus: dict[str, Path]) -> None:
    trapped.sprung()
    path, probe = str(corpus["concat_of_a_neighbour"]), "from gpu.render.produce import probe_file as probe"
    python(f"{UNLISTED}{probe}; probe(open(sys.argv[1], 'rb'))", path, folder=trapped.bait.parent)
    assert trapped.sprung() == ["the bait was opened"]


def test_the_lure_counts_calls(trapped: Trap) -> None:
    trapped.sprung()
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(trapped.lure)
    assert trapped.sprung() == ["GET of the lure"]


@needs_strace
@pytest.mark.timeout(1200)
def test_the_command_talks_to_its_storage_and_opens_nothing_named(
    seed: Seed, trapped: Trap, storage: Storage, tmp_path: Path
) -> None:
    """The whole child process, imports and all, as the kernel saw it."""
    for name in REFERRING:
        storage.objects[name] = kinds()[name](seed)
    words = ["-c", "from gpu.render.__main__ import main; main()", "--request", "probe"]
    code = (
        "import io, sys, subprocess\n"
        "for line in sys.stdin.read().splitlines():\n"
        f"    subprocess.run([sys.executable, *{words!r}], input=line, text=True, check=True)\n"
    )
    requests = "\n".join(ProbeRequest(source_url=storage.url(name)).model_dump_json() for name in REFERRING)
    log = tmp_path / "calls"
    strace = [
        "strace",
        "-f",
        "-qq",
        "-s",
        "4096",
        "--seccomp-bpf",
        "-e",
        "trace=open,openat,openat2,connect,bind,listen",
    ]
    done = subprocess.run(
        [*strace, "-o", str(log), sys.executable, "-c", code],
        input=requests,
        capture_output=True,
        text=True,
        timeout=1000,
        check=False,
    )
    if "ptrace" in done.stderr and not log.stat().st_size:
        pytest.skip(f"strace may not trace here: {done.stderr.strip()[:80]}")
    assert len(done.stdout.splitlines()) == len(REFERRING), done.stderr
    calls = log.read_text().splitlines()
    connected = [call for call in calls if "connect(" in call and f"sin_port=htons({storage.port})" not in call]
    assert [call for call in connected if "AF_INET" in call] == []
    assert sum(f"sin_port=htons({storage.port})" in call for call in calls) >= len(REFERRING)
    assert [call for call in calls if "bind(" in call or "listen(" in call] == []
    for named in (trapped.bait.name, "/etc/passwd"):
        assert [call for call in calls if f'{named}"' in call] == []
