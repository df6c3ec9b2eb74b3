"""Transforms: the program is called back before a registration is taken (source_eval.go, RegisterResource)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi import Alias, ResourceOptions, ResourceTransformArgs, ResourceTransformResult
from pulumi.runtime import register_invoke_transform, register_resource_transform

from infra.rehearsal import Result, run
from infra.rehearsal.values import UNKNOWN, secret
from tests.infra.rehearsal.support import saved
from tests.infra.rehearsal.things import TYPE, Group, Thing, fake
from tests.infra.rehearsal.things import program as only

Opts = ResourceOptions
Transform = Callable[[ResourceTransformArgs], ResourceTransformResult | None]


def adding(word: str) -> Transform:
    """Adds to the input `word`, so that the order of transforms shows."""

    def transform(args: ResourceTransformArgs) -> ResourceTransformResult | None:
        if args.type_ != TYPE:
            return None
        return ResourceTransformResult({**args.props, "word": f"{args.props.get('word', '')}{word}"}, args.opts)

    return transform


def options(**more: Any) -> Transform:
    def transform(args: ResourceTransformArgs) -> ResourceTransformResult | None:
        return ResourceTransformResult(args.props, Opts.merge(args.opts, Opts(**more))) if args.name != "base" else None

    return transform


def up(program: Callable[[], None], state: Path, **more: Any) -> Result:
    return run(program, providers={"fake": fake(**more)}, state=state)


def first_step(result: Result) -> str:
    return next(one.op for one in result.operations if one.resource.type == TYPE)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


def test_its_own_come_first_then_its_parents_then_the_stacks(state: Path) -> None:
    def program() -> None:
        register_resource_transform(adding("s"))
        outer = Group("outer", Opts(transforms=[adding("o")]))
        inner = Group("inner", Opts(parent=outer, transforms=[adding("i")]))
        Thing("deep", Opts(parent=inner, transforms=[adding("1"), adding("2")]))
        Thing("plain")

    result = up(program, state)
    assert result.find("deep").inputs["word"] == "12ios"
    assert result.find("plain").inputs["word"] == "s"


def test_they_change_options(state: Path) -> None:
    def program() -> None:
        base = Thing("base")
        changes = options(
            protect=True,
            retain_on_delete=True,
            depends_on=[base],
            additional_secret_outputs=["said"],
            ignore_changes=["word"],
            replace_on_changes=["size"],
            custom_timeouts=pulumi.CustomTimeouts(create="5m"),
            deleted_with=base,
            replace_with=[base],
        )
        Thing("a", Opts(transforms=[changes]), word="x")

    result = up(program, state)
    found, base = result.find("a"), result.find("base").urn
    assert (found.protect, found.retain_on_delete, found.timeouts) == (True, True, {"create": "5m"})
    assert (found.dependencies, found.deleted_with, found.replace_with) == ([base], base, [base])
    assert (found.ignore_changes, found.replace_on_changes) == (["word"], ["size"])
    assert found.outputs["said"] == secret("a x")


def test_they_can_take_options_away(state: Path) -> None:
    def bare(args: ResourceTransformArgs) -> ResourceTransformResult:
        return ResourceTransformResult(args.props, Opts())

    given = Opts(protect=True, retain_on_delete=True, ignore_changes=["word"], transforms=[bare])
    found = up(only(lambda: Thing("a", given)), state).find("a")
    assert (found.protect, found.retain_on_delete, found.ignore_changes) == (False, False, [])


def test_they_can_give_an_alias_and_decide_how_it_is_replaced(state: Path) -> None:
    def program(name: str, place: str, *transforms: Transform) -> Callable[[], None]:
        return only(lambda: Thing(name, Opts(transforms=[*transforms]), place=place))

    up(program("a", "1"), state)
    assert first_step(up(program("b", "1", options(aliases=[Alias(name="a")])), state)) == "same"
    assert first_step(up(program("b", "2", options(delete_before_replace=True)), state)) == "delete-replaced"


def test_secrets_and_unknown_values_pass_through(state: Path) -> None:
    def program() -> None:
        a = Thing("a", word=pulumi.Output.secret("hush-hush"))
        Thing("b", Opts(transforms=[options(protect=True)]), word=a.said, other=pulumi.Output.secret("quiet-quiet"))

    planned = run(program, providers={"fake": fake()}, state=state, preview=True).find("b")
    assert (planned.inputs["word"], planned.inputs["other"]) == (UNKNOWN, secret("quiet-quiet"))
    up(program, state)
    assert "quiet-quiet" not in state.read_text()


def test_one_that_raises_fails_the_run_and_makes_nothing(state: Path) -> None:
    def wrong(args: ResourceTransformArgs) -> ResourceTransformResult | None:
        raise ValueError("cannot transform this")

    result = up(only(lambda: Thing("a", Opts(transforms=[wrong]))), state)
    assert not result.succeeded
    assert "a transform of a failed" in result.diagnostics[0].message
    assert "cannot transform this" in result.diagnostics[0].message
    assert [one for one in saved(state) if one.type == TYPE] == []


def test_calls_of_functions_are_transformed(state: Path) -> None:
    def program() -> None:
        def louder(args: pulumi.InvokeTransformArgs) -> pulumi.InvokeTransformResult:
            return pulumi.InvokeTransformResult({**args.args, "word": "loud"}, args.opts)

        register_invoke_transform(louder)
        found = pulumi.runtime.invoke_output("fake:index:find", {"word": "quiet"})
        pulumi.export("word", found.apply(lambda it: it["word"]))

    assert up(program, state, answers={"fake:index:find": {}}).outputs == {"word": "loud"}
