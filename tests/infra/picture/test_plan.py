"""A plan of each committed stack without a cloud and without its secrets."""

import json

import pytest

from infra.config import SECRET_KEYS
from infra.fly_config import COMMITTED_STACKS
from infra.picture.plan import PLACEHOLDERS, LookUp, plan
from infra.sources import ROOT


@pytest.mark.parametrize("stack", COMMITTED_STACKS)
def test_it_declares_what_the_recorded_plan_does(stack: str) -> None:
    recorded = json.loads((ROOT / f"tests/infra/stacks/{stack}.json").read_text())["resources"]
    names = {name.partition(" (")[0] for name in recorded} - {"cloudflare"}
    assert {each.name for each in plan(stack).resources} == names


def test_what_another_stack_owns_is_looked_up() -> None:
    assert plan("staging").look_ups == []
    assert plan("production").look_ups == [
        LookUp("cloudflare:index/getPagesProject:getPagesProject", "reel-ballers-app"),
        LookUp("cloudflare:index/getR2Bucket:getR2Bucket", "reel-ballers-users"),
    ]


def test_only_known_outputs_without_secrets_are_kept() -> None:
    outputs = plan("production").outputs
    assert outputs["app_url"] == "https://app.reelballers.com"
    assert "image" not in outputs
    assert all(isinstance(value, str | int | float) for value in outputs.values())


def test_placeholders_stand_for_the_secrets_only() -> None:
    assert {key.partition(":")[2] for key in PLACEHOLDERS} == set(SECRET_KEYS)


def test_a_stack_without_a_file_is_told() -> None:
    with pytest.raises(FileNotFoundError, match=r"Pulumi\.nowhere\.yaml"):
        plan("nowhere")
