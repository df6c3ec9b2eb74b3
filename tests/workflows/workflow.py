"""A workflow file as the tests see it: parsed YAML, and the few questions that every rule asks."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.sources import ROOT

FOLDER = ROOT / ".github/workflows"
NAMES = ("ci", "preview", "deploy", "drift")
SECRET = re.compile(r"\bsecrets\.\w+")

Json = dict[str, Any]


@dataclass(frozen=True)
class Workflow:
    """`document`: YAML 1.2's `on` is a boolean for PyYAML, so it is under True there."""

    name: str
    text: str
    document: Json

    @classmethod
    def read(cls, path: Path) -> "Workflow":
        return cls.parse(path.stem, path.read_text())

    @classmethod
    def parse(cls, name: str, text: str) -> "Workflow":
        return cls(name, text, yaml.safe_load(text))

    @property
    def triggers(self) -> Json:
        document: dict[Any, Any] = self.document
        found = document.get("on", document.get(True))
        return found if isinstance(found, dict) else {str(each): None for each in found or ()}

    @property
    def jobs(self) -> dict[str, Json]:
        jobs: dict[str, Json] = self.document["jobs"]
        return jobs

    def steps(self) -> Iterator[tuple[str, Json]]:
        for name, job in self.jobs.items():
            for step in job["steps"]:
                yield name, step

    def step(self, job: str, name: str) -> Json:
        [found] = [step for step in self.jobs[job]["steps"] if name in (step.get("name"), step.get("id"))]
        return dict(found)


def read(name: str) -> Workflow:
    return Workflow.read(FOLDER / f"{name}.yml")


def runs(job: Json) -> str:
    return "\n".join(step.get("run", "") for step in job["steps"])


def uses(job: Json, action: str) -> list[Json]:
    return [step for step in job["steps"] if step.get("uses", "").startswith(f"{action}@")]


def has_secrets(part: Any) -> bool:
    """Whether anything below it reads a secret of the repository."""
    if isinstance(part, dict):
        return any(has_secrets(each) for each in part.values())
    if isinstance(part, list):
        return any(has_secrets(each) for each in part)
    return isinstance(part, str) and bool(SECRET.search(part))


def stacks(job: Json) -> list[str]:
    """Of the job's matrix; one empty name where it has none."""
    return list(job.get("strategy", {}).get("matrix", {}).get("stack", [""]))


def resolved(text: str, stack: str) -> str:
    return text.replace("${{ matrix.stack }}", stack).replace("$STACK", stack)


def commands(text: str, program: str) -> list[list[str]]:
    """The argument lists of `program` in a shell text, the program's own name left out."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True) if line.count('"') % 2 == 0 else []
        if program in words:
            rest = words[words.index(program) + 1 :]
            stops = [at for at, word in enumerate(rest) if word in (">", ">>", "<", "|", ";", "&&")]
            found.append(rest[: stops[0]] if stops else rest)
    return found
