"""Which boxes, resources and arrows a plan has."""

import pytest

from infra.fly_config import COMMITTED_STACKS
from infra.picture.graph import Arrow, Graph, graph
from infra.picture.plan import LookUp, plan
from infra.rehearsal.resource import Resource
from tests.infra.picture.declared import component, resource


def drawn(*declared: Resource, look_ups: tuple[LookUp, ...] = ()) -> Graph:
    return graph([component("storage"), *declared], look_ups)


def drawn_stack(stack: str) -> Graph:
    found = plan(stack)
    return graph(found.resources, found.look_ups)


def test_an_arrow_that_others_imply_is_left_out() -> None:
    found = drawn(resource("a"), resource("b", needs=("a",)), resource("c", needs=("a", "b")))
    assert found.arrows == [Arrow("a", "b"), Arrow("b", "c")]


def test_both_ways_to_a_resource_are_kept() -> None:
    diamond = drawn(
        resource("a"), resource("b", needs=("a",)), resource("c", needs=("a",)), resource("d", needs=("a", "b", "c"))
    )
    assert [arrow for arrow in diamond.arrows if arrow.target == "d"] == [Arrow("b", "d"), Arrow("c", "d")]


def test_a_component_that_waits_has_one_arrow_from_the_last_it_waits_for() -> None:
    waits = drawn(component("later", needs=("a", "b")), resource("a"), resource("b", needs=("a",)))
    assert waits.arrows == [Arrow("a", "b"), Arrow("b", "later", to_box=True)]


def test_what_was_looked_up_leads_to_who_names_it() -> None:
    bucket = LookUp("cloudflare:index/getR2Bucket:getR2Bucket", "users")
    found = drawn(
        resource("token", inputs={"policies": '{"account_default_users": 1, "x": "users"}'}),
        resource("other", inputs={"name": "users-of-another", "label": "superusers"}),
        look_ups=(bucket,),
    )
    assert [(arrow.target, arrow.source.split()[-1]) for arrow in found.arrows] == [("token", "users")]
    [node] = found.foreign
    assert (node.title, node.kind, node.foreign) == ("users", "R2Bucket", True)


@pytest.mark.parametrize("stack", COMMITTED_STACKS)
def test_every_resource_lies_in_one_box_and_every_arrow_has_two_ends(stack: str) -> None:
    found = drawn_stack(stack)
    nodes = [node.key for box in found.boxes for node in box.nodes]
    assert sorted(nodes) == sorted(each.name for each in plan(stack).resources if each.custom)
    ends = {*nodes, *(node.key for node in found.foreign)}
    boxes = {box.key for box in found.boxes}
    assert {arrow.source for arrow in found.arrows} <= ends
    assert all(arrow.target in (boxes if arrow.to_box else ends) for arrow in found.arrows)


def test_boxes_say_what_they_are_for() -> None:
    about = {box.title: box.about for box in drawn_stack("production").boxes}
    assert about.keys() == {"app", "backend", "dns", "gpu", "landing", "storage"}
    assert about["storage"].startswith("The bucket that holds")
    assert not [text for text in about.values() if "`" in text or not text.endswith(".")]


def test_the_functions_come_before_the_whole_backend() -> None:
    assert Arrow("gpu-deploy", "backend", to_box=True) in drawn_stack("staging").arrows
