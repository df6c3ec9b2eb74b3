from infra.rehearsal import urns
from infra.rehearsal.urns import Alias

STACK = "urn:pulumi:s::p::pulumi:pulumi:Stack::p-s"
GROUP = "urn:pulumi:s::p::app:index:Group::g"


def test_the_stack_is_no_part_of_a_childs_type() -> None:
    assert urns.make("s", "p", STACK, "a:b:C", "x") == "urn:pulumi:s::p::a:b:C::x"
    assert urns.stack_urn("s", "p") == STACK


def test_parents_types_come_before_its_own() -> None:
    child = urns.make("s", "p", GROUP, "a:b:C", "x")
    assert child == "urn:pulumi:s::p::app:index:Group$a:b:C::x"
    assert urns.make("s", "p", child, "a:b:D", "y") == "urn:pulumi:s::p::app:index:Group$a:b:C$a:b:D::y"
    assert (urns.own_type(child), urns.name(child)) == ("a:b:C", "x")


def test_an_alias_gives_what_was_different() -> None:
    urn = urns.make("s", "p", GROUP, "a:b:C", "x")
    assert urns.former(urn, (Alias(name="old"),), GROUP, {}) == [urns.make("s", "p", GROUP, "a:b:C", "old")]
    assert urns.former(urn, (Alias(type="a:b:Old"),), GROUP, {}) == [urns.make("s", "p", GROUP, "a:b:Old", "x")]
    assert urns.former(urn, (Alias(parent=STACK),), GROUP, {}) == ["urn:pulumi:s::p::a:b:C::x"]
    assert urns.former(urn, (Alias(no_parent=True),), GROUP, {}) == ["urn:pulumi:s::p::a:b:C::x"]
    assert urns.former(urn, (Alias(urn="urn:pulumi:s::p::q:r:S::z"),), GROUP, {}) == ["urn:pulumi:s::p::q:r:S::z"]


def test_children_follow_a_renamed_parent_also_in_their_names() -> None:
    renamed = "urn:pulumi:s::p::app:index:Group::h"
    urn = urns.make("s", "p", renamed, "a:b:C", "h-disk")
    assert urns.former(urn, (), renamed, {renamed: GROUP}) == ["urn:pulumi:s::p::app:index:Group$a:b:C::g-disk"]


def test_the_present_name_is_not_a_former_one() -> None:
    urn = urns.make("s", "p", GROUP, "a:b:C", "x")
    assert urns.former(urn, (Alias(name="x"),), GROUP, {}) == []


def test_an_alias_may_have_been_in_another_project_or_stack() -> None:
    urn = urns.make("s", "p", "", "a:b:C", "x")
    assert urns.former(urn, (Alias(project="q"),), STACK, {}) == ["urn:pulumi:s::q::a:b:C::x"]
    assert urns.former(urn, (Alias(stack="t", name="y"),), STACK, {}) == ["urn:pulumi:t::p::a:b:C::y"]


def test_a_former_parent_is_looked_for_under_its_own_former_name() -> None:
    """collapseAliasToUrn: if the parent that an alias names was itself found by an alias, that one counts."""
    urn = urns.make("s", "p", "", "a:b:C", "x")
    parent = "urn:pulumi:s::p::app:index:Group::h"
    found = urns.former(urn, (Alias(parent=parent),), STACK, {parent: "urn:pulumi:s::p::old:index:Box::g"})
    assert found == ["urn:pulumi:s::p::old:index:Box$a:b:C::x"]


def test_a_childs_own_alias_is_also_tried_below_the_parents_former_name() -> None:
    renamed, former = "urn:pulumi:s::p::app:index:Group::h", "urn:pulumi:s::p::old:index:Box::g"
    urn = urns.make("s", "p", renamed, "a:b:C", "new")
    assert urns.former(urn, (Alias(name="old"),), renamed, {renamed: former}) == [
        "urn:pulumi:s::p::app:index:Group$a:b:C::old",
        "urn:pulumi:s::p::old:index:Box$a:b:C::new",
        "urn:pulumi:s::p::old:index:Box$a:b:C::old",
    ]
