"""The engine as releases see it, and the `pulumi` command line as its implementation."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from infra.release.errors import ReleaseError
from infra.sources import ROOT

HISTORY = 50  # updates that are looked through for one that succeeded
READ_TIMEOUT_S = 120


class Update(NamedTuple):
    """One entry of a stack's history. `commit`: 40 hex digits, "" where the program was in no repository."""

    kind: str
    result: str
    commit: str
    dirty: bool


class Engine(Protocol):
    """Raises ReleaseError where the engine does."""

    def history(self, stack: str) -> list[Update]:
        """The last updates, newest first; empty for a stack that was never up."""

    def outputs(self, stack: str, *, show_secrets: bool = False) -> dict[str, Any]:
        """By name; without `show_secrets` a secret one is a placeholder."""

    def set_config(self, stack: str, settings: Path, key: str, value: str) -> None:
        """Write one plain value into the stack file `settings`."""

    def up(self, stack: str, settings: Path) -> None:
        """Apply the program with the stack file `settings`."""


@dataclass(frozen=True)
class PulumiCli:
    """`folder`: where Pulumi.yaml is. Credentials and the backend of the state are ambient."""

    folder: Path = ROOT

    def history(self, stack: str) -> list[Update]:
        listed = self._json("stack", "history", "--stack", stack, "--json", "--page-size", str(HISTORY))
        return [_update(each) for each in listed]

    def outputs(self, stack: str, *, show_secrets: bool = False) -> dict[str, Any]:
        options = ["--show-secrets"] if show_secrets else []
        found: dict[str, Any] = self._json("stack", "output", "--stack", stack, "--json", *options)
        return found

    def set_config(self, stack: str, settings: Path, key: str, value: str) -> None:
        self._run("config", "set", key, value, "--stack", stack, "--config-file", str(settings))

    def up(self, stack: str, settings: Path) -> None:
        self._run("up", "--yes", "--skip-preview", "--stack", stack, "--config-file", str(settings))

    def _json(self, *words: str) -> Any:  # noqa: ANN401 -- whatever JSON that command prints
        try:
            done = subprocess.run(
                _command(words), cwd=self.folder, stdout=subprocess.PIPE, text=True, timeout=READ_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise ReleaseError(f"{_shown(words)} did not answer within {READ_TIMEOUT_S} s") from None
        if done.returncode != 0:
            raise _failure(words, done.returncode)
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError:
            raise ReleaseError(f"{_shown(words)} printed no JSON") from None

    def _run(self, *words: str) -> None:
        """All that it says goes to standard error; an interrupt reaches it and is waited for, so that it unlocks."""
        process = subprocess.Popen(_command(words), cwd=self.folder, stdout=sys.stderr, start_new_session=True)
        before = {number: signal.signal(number, _pass_on(process)) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            status = process.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if status != 0:
            raise _failure(words, status)


def _pass_on(process: "subprocess.Popen[bytes]") -> Any:  # noqa: ANN401 -- a signal handler
    return lambda number, frame: os.killpg(process.pid, signal.SIGINT)


def _command(words: Sequence[str]) -> list[str]:
    found = shutil.which("pulumi")
    if found is None:
        raise ReleaseError("pulumi is not installed or not on PATH")
    return [found, *words, "--non-interactive"]


def _failure(words: Sequence[str], status: int) -> ReleaseError:
    return ReleaseError(f"{_shown(words)} ended with exit status {status}; why is above")


def _shown(words: Sequence[str]) -> str:
    stack = words[words.index("--stack") + 1]
    return f"pulumi {' '.join(words[:2] if words[0] in ('stack', 'config') else words[:1])} of {stack}"


def _update(entry: dict[str, Any]) -> Update:
    environment = entry.get("environment") or {}
    return Update(
        kind=str(entry["kind"]),
        result=str(entry.get("result", "")),
        commit=str(environment.get("git.head", "")),
        dirty=environment.get("git.dirty") == "true",
    )
