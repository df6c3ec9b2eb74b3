"""Runs `run:` steps of a job as GitHub's runner does: bash, files for outputs, a step a process.

Not a whole runner: `uses:` steps and the installation are left out, and of conditions it knows those that we use.
"""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.workflows.workflow import Json

LEFT_OUT = ("make setup",)
EXPRESSION = re.compile(r"\$\{\{ *(.+?) *\}\}")
AFTER_A_FAILURE = "${{ failure() && steps.up.outcome != 'skipped' }}"


@dataclass
class Ran:
    """One step that ran: its exit status and everything it said."""

    name: str
    status: int
    said: str


@dataclass
class Runner:
    """`context`: values of expressions such as `matrix.stack`; an expression without one is an empty text.

    `path`: folders that come before everything else on PATH.
    """

    folder: Path
    temp: Path
    path: Sequence[Path]
    context: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 280

    def run_step(self, step: Json) -> tuple[Ran, dict[str, str]]:
        """And the outputs that it set."""
        self.temp.mkdir(exist_ok=True)
        files = {name: self.temp / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STEP_SUMMARY")}
        for path in files.values():
            path.write_text("")
        script = self.temp / "script.sh"
        script.write_text(step["run"])
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI", "GITHUB"))}
        own = {name: self._expanded(value) for name, value in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.folder,
            env={
                **inherited,
                "PATH": os.pathsep.join([*map(str, self.path), inherited["PATH"]]),
                "RUNNER_TEMP": str(self.temp),
                **{name: str(path) for name, path in files.items()},
                **own,
                **self.environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=self.timeout_s,
            check=False,
        )
        outputs = read_outputs(files["GITHUB_OUTPUT"].read_text())
        return Ran(step.get("name", step["run"].strip()), done.returncode, done.stdout), outputs

    def run_job(self, job: Json) -> "Finished":
        """All steps in order; after a failure only those whose condition asks for one."""
        finished, outcomes = Finished(), dict[str, str]()
        for step in job["steps"]:
            if "run" not in step or step["run"].strip() in LEFT_OUT:
                continue
            wanted = step.get("if")
            if wanted not in (None, AFTER_A_FAILURE):
                raise NotImplementedError(f"the condition {wanted}")
            started = outcomes.get("up", "skipped") != "skipped"
            if (wanted is None) == finished.failed or (wanted and not started):
                outcomes[step.get("id", "")] = "skipped"
                continue
            ran, outputs = self.run_step(step)
            finished.steps.append(ran)
            outcomes[step.get("id", "")] = "success" if ran.status == 0 else "failure"
            finished.outputs |= {f"steps.{step.get('id')}.outputs.{name}": value for name, value in outputs.items()}
        return finished

    def _expanded(self, value: Any) -> str:
        return EXPRESSION.sub(lambda found: self.context.get(found[1], ""), str(value))


def read_outputs(text: str) -> dict[str, str]:
    """`name=value` lines, and `name<<end` with the lines up to that end."""
    found, lines = dict[str, str](), iter(text.split("\n"))
    for line in lines:
        name, equals, value = line.partition("=")
        if "<<" in name:
            name, _, end = line.partition("<<")
            value = "\n".join(iter(lambda: next(lines), end))
        if name:
            assert equals or "<<" in line, f"no output: {line}"
            found[name] = value
    return found


@dataclass
class Finished:
    steps: list[Ran] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return any(step.status for step in self.steps)

    @property
    def names(self) -> list[str]:
        return [step.name for step in self.steps]

    @property
    def said(self) -> str:
        return "\n".join(f"--- {step.name}: exit {step.status}\n{step.said}" for step in self.steps)
