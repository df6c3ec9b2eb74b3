"""Every recorded answer is held against the stand-in by some test, or its reason not to be is here."""

import ast
from pathlib import Path

from tests.infra.localcloud.fly.recorded import load

TESTS = Path(__file__).parents[1] / "flyctl"
NOT_REPRODUCED = {
    "apps-create-no-org-two-orgs": "this cloud has one organization",
    "logs-no-tail-no-lines": "the real flyctl never ends; a stand-in that hangs helps nobody, so this one ends",
    "deploy-rolling-dns-checks-on": "shows a computer without a way out; there is no DNS here to wait for",
    "deploy-release-create-fails": "one call makes a deploy here; that a call fails is a plan of faults",
    "deploy-machine-update-422": "this cloud always has room for a machine",
    "deploy-no-image-no-docker": "the builder of this cloud is always there",
}


def names_in(path: Path) -> set[str]:
    constants = (node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant))
    return {value for value in constants if isinstance(value, str)}


def test_every_record_has_a_test_or_a_reason() -> None:
    used = set.union(*(names_in(path) for path in TESTS.glob("test_recorded_*.py")))
    records = load().keys()
    assert records - used - NOT_REPRODUCED.keys() == set()
    assert records >= NOT_REPRODUCED.keys()
    assert not used & NOT_REPRODUCED.keys()


def test_the_recording_is_whole() -> None:
    assert len(load()) == 181
