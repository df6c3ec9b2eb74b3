"""What the tests of `up` and `destroy` share: a clean run to compare with, a fault at one moment, and the run after it.

Moments are found in the log of a run without faults, never listed by hand.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from infra.localcloud.faults.injector import Call
from tests.faults import portrait
from tests.faults.forked import Command
from tests.faults.scene import Scene
from tests.infra.localcloud.faults.serving import plan, rule

OBJECT = "development/users/a/media/kept.mp4"
BODY = b"what a user has"

WORDS = {"up": (), "destroy": ("--exclude-protected",)}

Act = Callable[[Command], None]


@dataclass(frozen=True)
class Complete:
    """`calls`: the engine's own of one `up`; `commands`: the steps of one `up` and of one `destroy`, in words."""

    snapshot: Path
    stack: dict[str, Any]
    clouds: dict[str, Any]
    calls: list[str]
    up: list[list[str]]
    calls_of_destroy: list[str]
    destroy: list[list[str]]


def complete_stack(scene: Scene, folder: Path) -> Complete:
    """Two runs: one whose commands are all refused, to tell the engine's calls, and one without faults."""
    calls = _calls_of_the_engine(scene, "up", None)
    scene.reset()
    with noted(scene) as up:
        status, said = scene.rehearse("up")
    assert status == 0, said
    assert portrait.keys_that_do_not_fit(scene.clouds) == ""
    put_object(scene)
    stack, clouds = portrait.stack(scene), portrait.clouds(scene.clouds)
    scene.snapshot(folder)
    calls_of_destroy = _calls_of_the_engine(scene, "destroy", folder)
    scene.reset(folder)
    with noted(scene) as destroy:
        status, said = scene.rehearse("destroy", *WORDS["destroy"])
    assert status == 0, said
    return Complete(folder, stack, clouds, calls, up, calls_of_destroy, destroy)


def _calls_of_the_engine(scene: Scene, verb: str, snapshot: Path | None) -> list[str]:
    """A destroy deletes nothing below a command that failed, so there its commands only do nothing."""
    scene.reset(snapshot)
    with scene.gate(lambda moment, words: not is_step(words) or verb == "destroy"):
        scene.rehearse(verb, "--continue-on-error", "--exclude-protected")
    found = [call.call for call in scene.clouds.faults.calls if call.service == "cloudflare"]
    if verb == "destroy":
        found = [call for call in found if not call.startswith("GET")]
    assert len(found) == len({*found}), f"a call twice: {found}"
    return found


def is_step(words: list[str]) -> bool:
    return words[1:2] == ["infra.deploy"]


@contextmanager
def noted(scene: Scene) -> Iterator[list[list[str]]]:
    """The steps that ran, in the order in which they began."""
    seen: list[list[str]] = []

    def opens(moment: str, words: list[str]) -> bool:
        if moment == "before" and is_step(words):
            seen.append(words)
        return True

    with scene.gate(opens):
        yield seen


def put_object(scene: Scene) -> None:
    """Puts a user's file into the bucket, where there is one."""
    with scene.bucket() as s3:
        if s3 is not None:
            s3.put_object(Bucket=scene.clouds.config.bucket, Key=OBJECT, Body=BODY)


def object_is_there(scene: Scene) -> bool:
    with scene.bucket() as s3:
        return s3 is not None and s3.get_object(Bucket=scene.clouds.config.bucket, Key=OBJECT)["Body"].read() == BODY


class Killer:
    """Acts on the engine once, at a moment that comes from another thread, perhaps before the engine's id is known."""

    def __init__(self, act: Act) -> None:
        self._act, self._known = act, threading.Event()
        self._engine: Command | None = None
        self.acted = False

    def aim(self, engine: Command) -> None:
        self._engine = engine
        self._known.set()

    def strike(self) -> None:
        if not self.acted:
            self.acted = True
            self._known.wait(120)
            if self._engine is not None:
                self._act(self._engine)


def run_and_strike_at_call(scene: Scene, verb: str, call: str, when: Literal["arrived", "handled"], act: Act) -> None:
    """When the call comes ("arrived") or has had its effect, without its answer ("handled")."""
    killer = Killer(act)

    def moment(made: Call) -> None:
        if made.call == call:
            killer.strike()

    setattr(scene.clouds.faults, when, moment)
    _run(scene, verb, killer)
    assert killer.acted, f"no {call}"


def run_and_strike_at_step(
    scene: Scene, verb: str, step: list[str], when: Literal["before", "while", "after"], act: Act
) -> None:
    """Before the step begins, when it runs its first tool, or when it has ended and the engine does not know yet."""
    killer = Killer(act)
    begun: list[bool] = []

    def opens(moment: str, words: list[str]) -> bool:
        if words == step:
            begun.append(True)
        at_its_tool = bool(begun) and not is_step(words)
        here = at_its_tool if when == "while" else words == step and moment == when
        if here:
            killer.strike()
        return True

    with scene.gate(opens):
        _run(scene, verb, killer)
    assert killer.acted, f"no {step}"


def _run(scene: Scene, verb: str, killer: Killer) -> None:
    engine = scene.start(verb, *WORDS[verb])
    killer.aim(engine)
    status, said = engine.wait()
    assert status != 0 or not killer.acted, said


def refuse_step(scene: Scene, verb: str, step: list[str]) -> None:
    """The step fails without having begun."""
    with scene.gate(lambda moment, words: not (words == step and moment == "before")):
        status, said = scene.rehearse(verb, *WORDS[verb])
    assert status == 1, said
    assert "refused by the test" in said


def kill(engine: Command) -> None:
    engine.kill()


def terminate(engine: Command) -> None:
    engine.signal(signal.SIGTERM)


def fail_calls(scene: Scene, verb: str, call: str, fault: str, *, times: int = 0) -> None:
    """The call meets the fault each time; `times` 1: only once, which a run may survive."""
    scene.clouds.faults.use(plan(rule("*", call, fault, nth=1, times=times, retry_after_s=0)))
    status, said = scene.rehearse(verb, *WORDS[verb])
    met = [made for made in scene.clouds.faults.calls if made.fault]
    scene.clouds.faults.use(plan())
    assert met, f"no {call}"
    assert status == 1 or (status == 0 and times), said


def difference(scene: Scene, complete: Complete) -> str:
    """How stack, clouds and the user's file differ from those of the clean run."""
    if not object_is_there(scene):
        return "the user's file is gone"
    found: list[tuple[str, Any, Any]] = [
        ("state", complete.stack, portrait.stack(scene)),
        ("clouds", complete.clouds, portrait.clouds(scene.clouds)),
        ("keys", "", portrait.keys_that_do_not_fit(scene.clouds)),
    ]
    return "\n".join(f"{part}: {_first(wanted, got)}" for part, wanted, got in found if wanted != got)


def _first(wanted: Any, got: Any, path: str = "") -> str:
    """The first place where two documents differ."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key in sorted({*wanted, *got}):
            if wanted.get(key) != got.get(key):
                return _first(wanted.get(key), got.get(key), f"{path}/{key}")
    if isinstance(wanted, tuple) and isinstance(got, tuple) and len(wanted) == len(got):
        return next(_first(one, other, path) for one, other in zip(wanted, got, strict=True) if one != other)
    return f"{path} is {got!r}, not {wanted!r}"


def first_difference(wanted: object, got: object) -> str:
    return "" if wanted == got else _first(wanted, got)
