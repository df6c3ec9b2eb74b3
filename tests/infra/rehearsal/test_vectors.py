"""The rehearsal does what the real engine did, scenario by scenario."""

import os
from pathlib import Path

import pytest

from infra.rehearsal.api import Result, run, tear_down
from infra.rehearsal.providers.command import Command
from infra.rehearsal.providers.process import Processes
from infra.rehearsal.result import conformance, planned
from infra.rehearsal.urns import STACK_TYPE
from tests.infra.rehearsal import vectors
from tests.infra.rehearsal.support import saved


class Workplace:
    """One scenario's folders, kept from step to step."""

    def __init__(self, folder: Path, project: str, stack: str) -> None:
        self._program, self._out, self._state = folder / "program", folder / "out", folder / "state.json"
        self._project, self._stack = project, stack
        self._lines_seen = 0
        self._program.mkdir()
        self._out.mkdir()

    def step(self, wanted: vectors.Document) -> vectors.Document:
        command = Command(self._program, {**os.environ, "VECTOR_OUT": str(self._out)}, Processes())
        if wanted["command"] == "destroy":
            result = tear_down(state=self._state, providers={"command": command})
        else:
            result = self._apply(wanted, command)
        return self._document(result, preview=wanted["command"] == "preview")

    def _apply(self, wanted: vectors.Document, command: Command) -> Result:
        (self._program / "__main__.py").write_text(wanted["program_text"])
        given = wanted.get("config_given") or {"config": {}, "secret": []}
        return run(
            self._program,
            providers={"command": command},
            config=given["config"],
            secret_keys=frozenset(given["secret"]),
            project=self._project,
            stack=self._stack,
            state=self._state,
            preview=wanted["command"] == "preview",
        )

    def _document(self, result: Result, *, preview: bool) -> vectors.Document:
        state = saved(self._state)
        plan = planned(result.operations, result.outputs, result.made_up_ids) if preview else None
        outputs = next((one.outputs for one in state if one.type == STACK_TYPE), {})
        document = conformance(result.operations, result.changes, state, outputs, plan)
        return {**document, "success": result.succeeded}

    def new_log_lines(self) -> list[str]:
        log = self._out / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        new, self._lines_seen = lines[self._lines_seen :], len(lines)
        return new

    def files(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in sorted(self._out.iterdir()) if path.name != "log"}


@pytest.mark.parametrize("scenario", vectors.scenarios())
def test_does_what_the_real_engine_did(scenario: str, tmp_path: Path) -> None:
    recorded = vectors.read(scenario)
    place, ids = Workplace(tmp_path, recorded["project"], recorded["stack"]), vectors.Ids()
    for wanted in recorded["steps"]:
        got = place.step(wanted)
        found = vectors.differences(wanted, got, place.new_log_lines(), place.files(), ids)
        assert not found, f"step {wanted['step']} ({wanted['command']}):\n" + "\n".join(found)


def test_there_are_all_forty_scenarios() -> None:
    assert len(vectors.scenarios()) == 40
