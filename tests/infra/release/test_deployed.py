"""What counts as deployed, and which of it one can come back to."""

import pytest

from infra.release.deployed import Deployed, check, deployed
from infra.release.engine import Update
from infra.release.errors import ReleaseError
from tests.infra.release.fakes import IMAGE, FakeEngine, release

A, B = "a" * 40, "b" * 40
GOOD = Update("update", "succeeded", A, False)


def test_a_stack_that_was_never_up_has_no_release() -> None:
    assert deployed(FakeEngine(), "staging") is None


def test_the_release_is_the_last_update_that_succeeded() -> None:
    later = [Update("update", "failed", B, True), Update("refresh", "succeeded", B, True)]
    engine = FakeEngine([*later, GOOD], {"image": IMAGE, "site_digest": "d" * 64})
    assert deployed(engine, "staging") == release(A)


def test_a_destroyed_stack_has_no_release() -> None:
    assert deployed(FakeEngine([Update("destroy", "succeeded", B, False), GOOD]), "staging") is None
    assert deployed(FakeEngine([Update("destroy", "failed", B, False), GOOD]), "staging") is not None


def test_a_release_survives_the_way_through_a_file() -> None:
    assert Deployed.from_json(release(A).to_json()) == release(A)
    assert Deployed.from_json("{}") is None


@pytest.mark.parametrize("text", ["", "[1]", '{"commit": "x"}', "not JSON"])
def test_another_file_is_refused(text: str) -> None:
    with pytest.raises(ReleaseError, match="is not what"):
        Deployed.from_json(text)


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (None, "nothing to roll back to: staging had never been up"),
        (release(""), "deployed outside git"),
        (release("--upload-pack=x"), "deployed outside git"),
        (release(A, dirty=True), "changes that were not committed"),
        (release(A, image=""), "no image with a digest"),
        (release(A, image="registry.fly.io/app:latest"), "no image with a digest"),
    ],
)
def test_what_cannot_be_built_again_is_refused(before: Deployed | None, reason: str) -> None:
    with pytest.raises(ReleaseError, match=reason):
        check(before, "staging")
