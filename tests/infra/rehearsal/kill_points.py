"""Kills a run at one save of its state after the other, lets the next run finish, and tells what came out.

`python -m tests.infra.rehearsal.kill_points SCENARIO SIGNAL FOLDER` prints one JSON object. A process of its own,
because it forks: each run starts from what is imported here once. Commands of a killed run hang until they are ended.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi_command  # noqa: F401 -- so that no run has to import it

import infra.rehearsal.program  # noqa: F401
from infra.rehearsal import cli
from infra.rehearsal.state import State
from infra.rehearsal.store import Store, read_document

PROGRAM = """
import os
from pathlib import Path
import pulumi
from pulumi import ResourceOptions as Opts
from pulumi_command import local

def thing(name, word, opts=None, **more):
    hold = 'echo $$ >> "$PLACE/pids"; while [ -e "$HOLD" ]; do sleep 0.02; done; '
    make = hold + f'echo {word} > "$PLACE/world/{name}.$WORD"; echo {name} {word}'
    return local.Command(name, create=make, update=make, delete=hold + f'rm -f "$PLACE/world/{name}.$WORD"',
                         environment={"WORD": more.pop("kind", "x")}, opts=opts, **more)

class Group(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("test:index:Group", name)

turn = os.environ["TURN"]
a = thing("a", turn, triggers=[turn], kind=turn)
b = thing("b", turn, triggers=[turn], kind=turn, opts=Opts(delete_before_replace=True))
thing("c", turn, opts=Opts(parent=Group("group"), depends_on=[b]))
thing("d" + turn, "x")
pulumi.export("a", a.stdout)
"""
SCENARIOS = {"make": ("up", "1", 0), "change": ("up", "2", 1), "destroy": ("destroy", "1", 1)}
"""Name -> the verb that is killed, its turn of the program, and how many turns came before."""
MOST = 200
"""More saves than any run makes."""


class Place:
    """One stack in a folder: its program, its state, and the world that its commands change."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state = folder, folder / "state.json"

    @classmethod
    def new(cls, folder: Path) -> "Place":
        (folder / "program").mkdir(parents=True)
        (folder / "world").mkdir()
        (folder / "program" / "__main__.py").write_text(PROGRAM)
        (folder / "program" / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
        (folder / "config.json").write_text('{"config": {}, "secret": []}')
        return cls(folder)

    def copy(self, to: Path) -> "Place":
        shutil.copytree(self.folder, to)
        return Place(to)

    def run(self, verb: str, turn: str, run: str = "", at_save: Callable[[int], None] | None = None) -> int:
        """The exit status in a shell's way; `at_save` is told the number of each save before it is written."""
        child = os.fork()
        if child == 0:
            self._be(verb, turn, run, at_save)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)

    def _be(self, verb: str, turn: str, run: str, at_save: Callable[[int], None] | None) -> None:
        """Never returns."""
        with (self.folder / "said").open("a") as said:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
        os.environ |= {"PLACE": str(self.folder), "TURN": turn, "HOLD": str(self.folder / f"hold{run}")}
        if at_save:
            _watch_saves(at_save)
        where = {"--program": "program", "--config": "config.json", "--state": "state.json"}
        words = [part for key, name in where.items() for part in (key, str(self.folder / name))]
        status = cli.main([verb, *words])
        sys.stdout.flush()
        os._exit(status)

    def facts(self) -> dict[str, Any]:
        """What must be the same in the end: all but ids."""
        document = read_document(self.state) or {"resources": [], "replaced": [], "pending": {}}
        kept = ("urn", "inputs", "outputs", "dependencies", "delete", "pending_replacement")
        return {
            "resources": sorted([[one.get(key) for key in kept] for one in document["resources"]], key=str),
            "left": [document["replaced"], document["pending"]],
            "world": {path.name: path.read_text() for path in sorted((self.folder / "world").iterdir())},
        }

    def running(self) -> list[int]:
        """Commands that are still there."""
        noted = self.folder / "pids"
        pids = [int(line) for line in noted.read_text().split()] if noted.exists() else []
        return [pid for pid in pids if _runs(pid)]


def _watch_saves(at_save: Callable[[int], None]) -> None:
    saves = 0
    save = Store.save

    def watched(self: Store, state: State) -> None:
        nonlocal saves
        saves += 1
        at_save(saves)
        save(self, state)

    Store.save = watched  # type: ignore[method-assign]


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _end(number: int, at: int, hold: Path) -> Callable[[int], None]:
    """SIGKILL comes before the save, so that what was done is not yet noted; nothing that runs then ends by itself."""

    def at_save(save: int) -> None:
        if save == at:
            if number == signal.SIGKILL:
                hold.touch()
            os.kill(os.getpid(), number)

    return at_save


def survey(scenario: str, number: int, folder: Path) -> dict[str, Any]:
    """How many saves there were, and the ones after which the end was another, with what was wrong."""
    verb, turn, before = SCENARIOS[scenario]
    start = Place.new(folder / "start")
    for earlier in range(before):
        assert start.run("up", str(earlier + 1)) == 0
    wanted = start.copy(folder / "wanted")
    assert wanted.run(verb, turn) == 0
    wrong: dict[int, str] = {}
    for at in range(1, MOST):
        place = start.copy(folder / str(at))
        status = place.run(verb, turn, "-killed", _end(number, at, place.folder / "hold-killed"))
        if status == 0:
            return {"saves": at - 1, "wrong": wrong}
        if problem := _finish(place, verb, turn, status, number, wanted):
            wrong[at] = problem
        shutil.rmtree(place.folder)
    raise AssertionError("the run never lived to its end")


def _finish(place: Place, verb: str, turn: str, status: int, number: int, wanted: Place) -> str:
    """Lets the next run finish; what is wrong then, or an empty text."""
    if status != (-number if number == signal.SIGKILL else 128 + number):
        return f"the run ended with {status}: {(place.folder / 'said').read_text()}"
    if number != signal.SIGKILL and (running := place.running()):
        return f"the interrupted run left commands behind: {running}"
    if again := place.run(verb, turn):
        return f"the next run ended with {again}: {(place.folder / 'said').read_text()}"
    if running := place.running():
        return f"the next run left commands behind: {running}"
    found, right = place.facts(), wanted.facts()
    return "" if found == right else f"{found} instead of {right}"


if __name__ == "__main__":
    json.dump(survey(sys.argv[1], signal.Signals[sys.argv[2]], Path(sys.argv[3])), sys.stdout)
