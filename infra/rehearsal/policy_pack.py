"""A policy pack as the engine starts it: a process of the pack's own Python, in the pack's folder.

Sources: pulumi/pulumi, sdk/go/common/resource/plugin/analyzer_plugin.go (arguments, folder, environment) and
sdk/python/dist/pulumi-analyzer-policy-python (the script between the engine and the pack).
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Final

import yaml

from infra.rehearsal.analyzer import NO_ENGINE, Analyzer, AnalyzerError, StackFacts

FILE: Final = "PulumiPolicy.yaml"
START_SECONDS: Final = 120.0
GRACE_SECONDS: Final = 5.0

# Becomes the pack, tied to the life of process argv[1] (1 is PR_SET_PDEATHSIG of linux/prctl.h). A `preexec_fn` would
# do the same in a fork of this process, where the gRPC threads of the pack before do not survive.
_TIED: Final = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    sys.exit("whoever started the policy pack is gone")
os.execvp(sys.argv[2], sys.argv[2:])
"""


class PolicyPack:
    """A running pack; `name` is `<pack>@v<version>`."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes], analyzer: Analyzer, name: str) -> None:
        self.folder, self.analyzer, self.name = folder, analyzer, name
        self._process = process

    def close(self) -> None:
        self.analyzer.close()
        _end(self._process)


def start(folder: Path, facts: StackFacts, environment: Mapping[str, str], say: Callable[[str], None]) -> PolicyPack:
    """Starts the pack and introduces the stack to it; `say` hears what it prints. Raises AnalyzerError.

    Call it in the main thread: a pack ends with the thread that started it, so that a killed run leaves none behind.
    """
    settings = _settings(folder)
    process = subprocess.Popen(
        [*_tied_to_us(), str(_python(folder, settings)), "-u", "-m", "pulumi.policy", NO_ENGINE, "."],
        cwd=folder,
        env={**environment, **_variables(facts)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        analyzer = Analyzer(_port(process, say))
        info = analyzer.introduce(facts, str(folder.resolve()))
    except BaseException:
        _end(process)
        raise
    return PolicyPack(folder, process, analyzer, f"{info.name}@v{settings.get('version') or info.version}")


def _settings(folder: Path) -> dict[str, Any]:
    try:
        settings = yaml.safe_load((folder / FILE).read_text())
    except (OSError, yaml.YAMLError) as error:
        raise AnalyzerError(f"--policy-pack {folder}: cannot read {FILE}: {error}") from error
    if not isinstance(settings, dict) or _runtime(settings)[0] != "python":
        raise AnalyzerError(f"{folder / FILE}: a rehearsal runs packs with the runtime python only")
    return settings


def _runtime(settings: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    runtime = settings.get("runtime")
    if isinstance(runtime, dict):
        return str(runtime.get("name")), runtime.get("options") or {}
    return str(runtime), {}


def _python(folder: Path, settings: Mapping[str, Any]) -> Path:
    virtualenv = _runtime(settings)[1].get("virtualenv")
    if not virtualenv:
        return Path("python3")
    python = folder.resolve() / str(virtualenv) / "bin" / "python"
    if not python.is_file():
        raise AnalyzerError(f'{folder / FILE}: "{virtualenv}" doesn\'t appear to be a virtual environment')
    return python


def _variables(facts: StackFacts) -> dict[str, str]:
    values = {
        "PULUMI_CONFIG": json.dumps(dict(facts.config)) if facts.config else "",
        "PULUMI_ORGANIZATION": facts.organization,
        "PULUMI_PROJECT": facts.project,
        "PULUMI_STACK": facts.stack,
        "PULUMI_DRY_RUN": str(facts.preview).lower(),
    }
    return {name: value for name, value in values.items() if value}


def _tied_to_us() -> list[str]:
    return [sys.executable, "-I", "-S", "-c", _TIED, str(os.getpid())]


def _port(process: subprocess.Popen[bytes], say: Callable[[str], None]) -> int:
    """The first line of its standard output; everything else that it prints is for `say`."""
    if process.stdout is None or process.stderr is None:
        raise AnalyzerError("the policy pack has no output")
    said: list[str] = []

    def hear(line: str) -> None:
        said.append(line)
        say(line)

    complaints = _relay(process.stderr, hear)
    late = threading.Timer(START_SECONDS, process.kill)
    late.start()
    line = process.stdout.readline().decode(errors="replace").strip()
    late.cancel()
    if line.isdigit():
        _relay(process.stdout, say)
        return int(line)
    if line:
        raise AnalyzerError(f"the policy pack wrote a non-numeric port to stdout ({line!r})")
    complaints.join(GRACE_SECONDS)
    raise AnalyzerError("\n".join(["the policy pack ended before it served:", *said[-20:]]))


def _relay(stream: IO[bytes], say: Callable[[str], None]) -> threading.Thread:
    def read() -> None:
        for line in stream:
            say(line.decode(errors="replace").rstrip())

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
