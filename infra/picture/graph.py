"""What a picture of a plan shows: boxes, the resources in them, and the arrows that others do not imply."""

import importlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from infra.picture.details import cloud, detail, kind, marks
from infra.picture.plan import LookUp
from infra.rehearsal.resource import Resource
from infra.rehearsal.values import masked


@dataclass(frozen=True)
class Node:
    """A resource, or something of another stack (`foreign`). `marks` are short words about its treatment."""

    key: str
    title: str
    kind: str
    detail: str
    cloud: str
    marks: tuple[str, ...] = ()
    foreign: bool = False


@dataclass(frozen=True)
class Box:
    """A component with what lies in it; `about` says what it is for."""

    key: str
    title: str
    about: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Arrow:
    """`source` is there before `target`, which is a node, or a box when `to_box`."""

    source: str
    target: str
    to_box: bool = False


@dataclass
class Graph:
    boxes: list[Box] = field(default_factory=list)
    foreign: list[Node] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)


def graph(declared: Sequence[Resource], look_ups: Sequence[LookUp]) -> Graph:
    """Of a plan's resources, whose names are unique among components and among the others."""
    components = [each for each in declared if not each.custom]
    resources = [each for each in declared if each.custom]
    return Graph(
        boxes=[_box(each, resources) for each in sorted(components, key=lambda one: one.name)],
        foreign=[_foreign(each) for each in look_ups],
        arrows=[*_between_resources(resources, look_ups), *_into_boxes(components, resources)],
    )


def _box(component: Resource, resources: list[Resource]) -> Box:
    children = sorted((each for each in resources if each.parent == component.urn), key=lambda one: one.name)
    area = component.type.split(":")[1]
    about = (importlib.import_module(f"infra.components.{area}").__doc__ or "").splitlines()[0].replace("`", "")
    nodes = tuple(_node(each, component.name) for each in children)
    return Box(component.name, component.name, about, nodes)


def _node(resource: Resource, component: str) -> Node:
    return Node(
        key=resource.name,
        title=resource.name.removeprefix(f"{component}-"),
        kind=kind(resource),
        detail=detail(resource),
        cloud=cloud(resource),
        marks=marks(resource),
    )


def _foreign(found: LookUp) -> Node:
    what = found.function.rpartition(":")[2].removeprefix("get")
    return Node(key=_key(found), title=found.name, kind=what, detail="", cloud="cloudflare", foreign=True)


def _key(found: LookUp) -> str:
    return f"found {found.function} {found.name}"


def _between_resources(resources: list[Resource], look_ups: Sequence[LookUp]) -> list[Arrow]:
    names = {each.urn: each.name for each in resources}
    needs: dict[str, set[str]] = {
        each.name: {names[urn] for urn in each.dependencies if urn in names} for each in resources
    }
    for found in look_ups:
        needs[_key(found)] = set()
        for each in resources:
            if _names(each, found.name):
                needs[each.name].add(_key(found))
    return [Arrow(source, target) for target in sorted(needs) for source in sorted(_direct(target, needs))]


def _into_boxes(components: list[Resource], resources: list[Resource]) -> list[Arrow]:
    """What a whole component waits for: every resource in it does."""
    by_urn = {each.urn: each for each in resources}
    needs = {each.name: {by_urn[urn].name for urn in each.dependencies if urn in by_urn} for each in resources}
    arrows = []
    for component in components:
        waited = {by_urn[urn].name for urn in component.dependencies if urn in by_urn}
        arrows += [Arrow(source, component.name, to_box=True) for source in sorted(_last(waited, needs))]
    return arrows


def _direct(target: str, needs: dict[str, set[str]]) -> set[str]:
    """The needs of `target` that no other need of it has already."""
    return _last(needs[target], needs)


def _last(names: set[str], needs: dict[str, set[str]]) -> set[str]:
    return names - {earlier for name in names for earlier in _all_needs(name, needs)}


def _all_needs(name: str, needs: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    open_names = [name]
    while open_names:
        for need in needs.get(open_names.pop(), set()) - found:
            found.add(need)
            open_names.append(need)
    return found


def _names(resource: Resource, name: str) -> bool:
    """Whether an input holds the name as a word: a looked-up value leaves no dependency behind."""
    text = json.dumps(masked(resource.inputs))
    return re.search(rf"(?<![A-Za-z0-9-]){re.escape(name)}(?![A-Za-z0-9-])", text) is not None
