"""What was done to a stack, run by run, beside its state: one JSON line for each finished `up`, `destroy` or `refresh`.

Printed newest first in the shape of `pulumi stack history --json`; of a secret setting only that it is one.
Source: pulumi/pulumi, pkg/cmd/pulumi/stack/stack_history.go, updateInfoJSON.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.rehearsal.redact import Redactor

KINDS = {"up": "update", "destroy": "destroy", "refresh": "refresh"}
"""The verb -> the engine's word for it."""


@dataclass(frozen=True)
class Settings:
    """The settings of a run, for its record."""

    values: Mapping[str, str]
    secret_keys: frozenset[str]

    def recorded(self, redactor: Redactor) -> dict[str, Any]:
        return {key: self._one(key, redactor) for key in sorted(self.values)}

    def _one(self, key: str, redactor: Redactor) -> dict[str, Any]:
        if key in self.secret_keys:
            return {"secret": True}
        value = redactor.text(self.values[key])
        structure = _structure(value)
        return {"value": value, **({"objectValue": structure} if structure is not None else {}), "secret": False}


def file_of(state: Path) -> Path:
    return state.with_name(state.name + ".history")


def append(state: Path, verb: str, *, ok: bool, began: datetime, facts: Mapping[str, Any]) -> None:
    """`facts`: message, environment, config, resourceChanges. Durable when it returns."""
    path = file_of(state)
    record = {
        "version": len(_records(path)) + 1,
        "kind": KINDS[verb],
        "startTime": _stamp(began),
        "message": facts["message"],
        "environment": facts["environment"],
        "config": facts["config"],
        "result": "succeeded" if ok else "failed",
        "endTime": _stamp(datetime.now(UTC)),
        "resourceChanges": facts["resourceChanges"],
    }
    cut = path.exists() and not path.read_text().endswith("\n")
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
        file.write(("\n" if cut else "") + json.dumps(record) + "\n")
        file.flush()
        os.fsync(file.fileno())


def newest_first(state: Path) -> list[dict[str, Any]]:
    return _records(file_of(state))[::-1]


def git_facts(folder: Path) -> tuple[str, dict[str, str]]:
    """The subject of the commit, and `git.head` and `git.dirty`; both empty where there is no repository."""
    head = _git(folder, "log", "-1", "--format=%H %s")
    if not head:
        return "", {}
    commit, _, subject = head.partition(" ")
    return subject, {"git.head": commit, "git.dirty": str(bool(_git(folder, "status", "--porcelain"))).lower()}


def _git(folder: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _records(path: Path) -> list[dict[str, Any]]:
    """In the order they were written, without a line that a kill cut off."""
    lines = path.read_text().splitlines() if path.exists() else []
    found = [_structure(line) for line in lines]
    return [one for one in found if isinstance(one, dict)]


def _structure(value: str) -> Any:  # noqa: ANN401 -- JSON
    """The object or list that the text is, else None."""
    try:
        found = json.loads(value)
    except ValueError:
        return None
    return found if isinstance(found, dict | list) else None


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
