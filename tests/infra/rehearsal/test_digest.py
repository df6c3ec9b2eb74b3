"""`preview --json` has the shape of the real one: display.PreviewDigest, PreviewStep and apitype.ResourceV3."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pulumi import CustomTimeouts, Output, ResourceOptions, log

from infra.rehearsal import run
from infra.rehearsal.digest import Digest, Shown
from infra.rehearsal.journal import Journal
from infra.rehearsal.redact import Redactor
from infra.rehearsal.values import UNKNOWN
from tests.infra.rehearsal.things import TYPE, Thing, fake
from tests.infra.rehearsal.things import program as only

Opts = ResourceOptions
STEP_KEYS = {
    *("op", "urn", "provider", "oldState", "newState", "diffReasons", "replaceReasons", "detailedDiff"),
}


def first() -> None:
    Thing("kept", Opts(protect=True), word="1")
    Thing("changed", word="1")
    Thing("replaced", word="1", place="1")
    Thing("gone")


def second() -> None:
    Thing("kept", word="1")
    changed = Thing("changed", Opts(ignore_changes=["size"]), word="2")
    Thing("replaced", Opts(replace_on_changes=["size"]), word="2", place="2")
    options = Opts(
        depends_on=[changed], custom_timeouts=CustomTimeouts(create="1m30s"), additional_secret_outputs=["said"]
    )
    Thing("new", options, word=changed.said, key=Output.secret("hush-hush"))
    log.warn("look out")


@pytest.fixture
def digest(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    state = tmp_path / "state.json"
    run(first, providers={"fake": fake()}, state=state)
    plan = run(second, providers={"fake": fake()}, state=state, preview=True)
    journal = Journal()
    journal.operations, journal.diagnostics = plan.operations, plan.diagnostics
    redactor = Redactor()
    redactor.add("hush-hush")

    def document(shown: Shown | None = None) -> dict[str, Any]:
        provider = next(one.resource for one in plan.operations if one.resource.is_default_provider)
        whole = Digest(journal, redactor, {provider.urn: "provider-id"}, 1.5, shown or Shown())
        return whole.document({"app:a": "hush-hush!", "app:b": "x"}, frozenset({"app:b"}))

    return document


def step(document: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (one for one in document["steps"] if one["urn"].endswith(f"::{name}"))
    return dict(found)


def test_the_document(digest: Callable[..., dict[str, Any]]) -> None:
    document = digest()
    assert document.keys() == {"rehearsal", "config", "steps", "diagnostics", "duration", "changeSummary"}
    assert document["config"] == {"app:a": "[secret]!", "app:b": "[secret]"}
    assert document["duration"] == 1_500_000_000
    assert document["changeSummary"] == {"create": 1, "delete": 1, "replace": 1, "same": 2, "update": 1}
    (said,) = document["diagnostics"]
    assert (said["message"], said["severity"]) == ("warning: look out", "warning")
    assert all(one.keys() <= STEP_KEYS for one in document["steps"])


def names(document: dict[str, Any]) -> set[str]:
    return {f"{one['op']} {one['urn'].rpartition('::')[2]}" for one in document["steps"]}


def test_steps_that_change_nothing_are_left_out_but_for_the_stacks_and_changed_protection(
    digest: Callable[..., dict[str, Any]],
) -> None:
    wanted = {"same project-test", "same kept", "update changed", "replace replaced", "create new", "delete gone"}
    assert names(digest()) == wanted


def test_more_is_shown_on_demand(digest: Callable[..., dict[str, Any]]) -> None:
    parts = {"create-replacement replaced", "delete-replaced replaced"}
    assert names(digest(Shown(replacement_steps=True))) - names(digest()) == parts
    assert names(digest(Shown(sames=True))) == names(digest())


def test_a_step_that_changes_has_both_states_and_why(digest: Callable[..., dict[str, Any]]) -> None:
    found = step(digest(), "changed")
    assert found["oldState"]["inputs"] == {"word": "1"}
    assert found["newState"]["inputs"] == {"word": "2"}
    assert found["diffReasons"] == ["word"]
    assert "replaceReasons" not in found
    assert found["detailedDiff"] == {"word": {"kind": "update", "inputDiff": True}}
    assert found["provider"].endswith("::provider-id")
    assert found["newState"]["ignoreChanges"] == ["size"]


def test_a_replacement_says_what_forces_it(digest: Callable[..., dict[str, Any]]) -> None:
    found = step(digest(), "replaced")
    assert (found["diffReasons"], found["replaceReasons"]) == (["place", "word"], ["place"])
    assert found["detailedDiff"]["place"] == {"kind": "update-replace", "inputDiff": True}
    assert found["newState"]["replaceOnChanges"] == ["size"]


def test_what_is_made_has_no_old_state_and_what_is_deleted_no_new_one(digest: Callable[..., dict[str, Any]]) -> None:
    document = digest()
    assert "oldState" not in step(document, "new")
    gone = step(document, "gone")
    assert "newState" not in gone
    assert (gone["oldState"]["id"], gone["detailedDiff"]) == ("gone-id", None)


def test_a_state_has_the_engines_names_and_hides_secrets(digest: Callable[..., dict[str, Any]]) -> None:
    new = step(digest(), "new")["newState"]
    assert new["inputs"] == {"word": UNKNOWN, "key": "[secret]"}
    assert (new["type"], new["custom"], new["customTimeouts"]) == (TYPE, True, {"create": 90.0})
    assert new["additionalSecretOutputs"] == ["said"]
    assert new["outputs"]["said"] == "[secret]"
    assert list(new["propertyDependencies"]) == ["word"]
    assert len(new["dependencies"]) == 1


def test_a_provider_that_is_not_made_yet_has_an_unknown_id(tmp_path: Path) -> None:
    plan = run(only(lambda: Thing("a")), providers={"fake": fake()}, state=tmp_path / "s.json", preview=True)
    journal = Journal()
    journal.operations = plan.operations
    document = Digest(journal, Redactor(), {}, 0.0).document({}, frozenset())
    assert step(document, "a")["provider"].endswith(f"::{UNKNOWN}")
