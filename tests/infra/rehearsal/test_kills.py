"""A run may die at any moment: wherever it does, the next one ends with the same state and the same cloud."""

from collections.abc import Callable
from pathlib import Path

import pulumi
import pytest
from pulumi import ResourceOptions

from infra.rehearsal.carry import Carrier, Saver
from infra.rehearsal.deployment import Deployment
from infra.rehearsal.halt import Halt
from infra.rehearsal.journal import Journal
from infra.rehearsal.program import in_own_thread, run_program
from infra.rehearsal.providers.base import Call, Made, ProviderError
from infra.rehearsal.providers.fake import Fake
from infra.rehearsal.redact import Redactor
from infra.rehearsal.stack_config import StackConfig
from infra.rehearsal.state import State
from infra.rehearsal.values import Values
from tests.infra.rehearsal.support import PROJECT, STACK, saved, store
from tests.infra.rehearsal.things import TYPE, Group, Thing, fake


class KilledError(Exception):
    """Stands for SIGKILL: after it nothing reaches the file or the cloud."""


class Death:
    """Comes at the given moment; afterwards every step meets it."""

    def __init__(self, at: int) -> None:
        self._left = at

    @property
    def came(self) -> bool:
        return self._left <= 0

    def step(self) -> None:
        self._left -= 1
        if self.came:
            raise KilledError


class Cloud(Fake):
    """Keeps what was made under unique names, like Cloudflare; every operation may be cut before or after it."""

    world: dict[str, Values]
    death: Death

    def create(self, call: Call) -> Made:
        self.death.step()
        name = call.resource.name
        if name in self.world and not call.resumed and not call.old:
            raise ProviderError(f"{name} exists already")
        self.world[name] = call.inputs
        self.death.step()
        return super().create(call)

    def update(self, call: Call) -> Values:
        self.death.step()
        self.world[call.resource.name] = call.inputs
        self.death.step()
        return super().update(call)

    def delete(self, call: Call) -> None:
        self.death.step()
        self.world.pop(call.resource.name, None)
        self.death.step()
        super().delete(call)


class Dying:
    """A saver that dies before a file is written, or right after."""

    def __init__(self, saver: Saver, death: Death) -> None:
        self._saver, self._death = saver, death

    def save(self, state: State) -> None:
        self._death.step()
        self._saver.save(state)
        self._death.step()


def first() -> None:
    a = Thing("a", word="1", place="here", opts=ResourceOptions(delete_before_replace=True))
    Thing("b", place=a.said, opts=ResourceOptions(parent=Group("group"), delete_before_replace=True))
    Thing("c", word=a.said)
    Thing("gone", word="x")


def second() -> None:
    a = Thing("a", word="2", place="there", opts=ResourceOptions(delete_before_replace=True))
    Thing("b", place=a.said, opts=ResourceOptions(parent=Group("group"), delete_before_replace=True))
    Thing("c", word=a.said)
    Thing("new", word="y")
    pulumi.export("said", a.said)


def apply(program: Callable[[], None], path: Path, world: dict[str, Values], death: Death) -> bool:
    """Whether it succeeded; raises KilledError if death came."""
    provider = Cloud(outputs=fake().outputs, replaces=["place"])
    provider.world, provider.death = world, death
    redactor, journal = Redactor(), Journal()
    file = store(path, redactor)
    carrier = Carrier(file.load(), {"fake": provider}, journal, Halt(), redactor, Dying(file, death))
    deployment = Deployment(PROJECT, STACK, carrier)

    def work() -> None:
        error = run_program(program, deployment, StackConfig(), path.parent)
        if death.came:
            raise KilledError
        deployment.finish(program_failed=error is not None)

    in_own_thread(work)
    return not journal.failed


def facts(path: Path) -> list[tuple[str, str, Values, Values]]:
    return sorted((it.urn, it.id, it.inputs, it.outputs) for it in saved(path) if it.type == TYPE)


NEVER = 10_000


def wanted(tmp_path: Path) -> tuple[list[tuple[str, str, Values, Values]], dict[str, Values]]:
    world: dict[str, Values] = {}
    path = tmp_path / "wanted" / "state.json"
    assert apply(first, path, world, Death(NEVER))
    assert apply(second, path, world, Death(NEVER))
    return facts(path), world


@pytest.mark.parametrize("turn", [0, 1], ids=["making", "changing"])
@pytest.mark.parametrize("start", [1, 3, 5, 7])
def test_wherever_a_run_dies_the_next_one_ends_where_it_would_have(turn: int, start: int, tmp_path: Path) -> None:
    """Every eighth moment from `start` on, until a run lives to its end; together every second one.

    Two neighbours are mostly the same moment: after one thing was done and before the next.
    """
    state, cloud = wanted(tmp_path)
    for at in range(start, NEVER, 8):
        path = tmp_path / str(at) / "state.json"
        world: dict[str, Values] = {}
        if turn:
            assert apply(first, path, world, Death(NEVER))
        program = second if turn else first
        try:
            apply(program, path, world, Death(at))
            break
        except KilledError:
            assert apply(program, path, world, Death(NEVER)), f"killed at moment {at}"
        assert turn or apply(second, path, world, Death(NEVER))
        assert (facts(path), world) == (state, cloud), f"killed at moment {at}"
