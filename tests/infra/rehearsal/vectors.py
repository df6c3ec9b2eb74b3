"""Reads the recorded runs of the real engine and says where an implementation did something else."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "facts" / "engine"
DEFAULT_PROVIDERS = "::pulumi:providers:command::default_"
EMPTY: dict[str, Any] = {"dependencies": [], "propertyDependencies": {}, "inputs": {}, "outputs": {}}
"""What a fact is taken for that the recording leaves out."""

Document = dict[str, Any]


def scenarios() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def read(scenario: str) -> Document:
    document: Document = json.loads((FOLDER / f"{scenario}.json").read_text())
    return document


class Ids:
    """The recording's names for ids: NAME#1 is the first id that the resource NAME had, NAME#2 the next."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], str] = {}

    def name(self, urn: str, id_: str) -> str:
        if not id_:
            return ""
        if (urn, id_) not in self._names:
            turn = 1 + sum(known == urn for known, _ in self._names)
            self._names[urn, id_] = f"{urn.rpartition('::')[2]}#{turn}"
        return self._names[urn, id_]

    def learn(self, state: Sequence[Document]) -> None:
        """Older instances first, so that the numbers come out right."""
        for resource in sorted(state, key=lambda one: not one.get("delete")):
            self.name(resource["urn"], resource.get("id", ""))

    def named(self, value: Any) -> Any:
        """The value with each known id under its name; ids are long enough not to be part of other texts."""
        if isinstance(value, dict):
            return {key: self.named(part) for key, part in value.items()}
        if isinstance(value, list):
            return [self.named(part) for part in value]
        if isinstance(value, str):
            for (_, id_), name in self._names.items():
                value = value.replace(id_, name) if len(id_) > 8 else value
        return value


def differences(wanted: Document, got: Document, log: list[str], files: dict[str, str], ids: Ids) -> list[str]:
    """Where the step differs from the recording, one line each."""
    ids.learn([one for one in got["state"] if _counts(one["urn"])])
    if "quirk" in wanted:
        return []
    found = [] if wanted["success"] == got["success"] else [f"success: wanted {wanted['success']}"]
    found += _arrangement("log", log, wanted["log"]["lines"], wanted["log"]["before"])
    found += [] if files == wanted["files"] else [f"files: wanted {wanted['files']} got {files}"]
    found += _changes(wanted["changes"], got["changes"])
    found += _operations(wanted, got["operations"])
    found += _values("outputs", wanted["outputs"], got["outputs"], ids)
    if "planned" in wanted:
        found += _values("planned", wanted["planned"], got["planned"], ids)
    return [*found, *_state(wanted["state"], got["state"], ids)]


def _counts(urn: str) -> bool:
    return DEFAULT_PROVIDERS not in urn


def _arrangement(what: str, found: list[str], wanted: list[str], before: list[list[int]]) -> list[str]:
    """Whether `found` is `wanted` in an order in which each pair of places in `before` holds."""
    if Counter(found) != Counter(wanted):
        return [f"{what}: missing {_less(wanted, found)}, unexpected {_less(found, wanted)}"]
    places: dict[str, Iterator[int]] = {
        one: iter([at for at, other in enumerate(found) if other == one]) for one in {*found}
    }
    at = [next(places[one]) for one in wanted]
    return [f"{what}: {wanted[i]!r} must come before {wanted[j]!r}" for i, j in before if at[i] > at[j]]


def _less(these: list[str], those: list[str]) -> list[str]:
    return sorted((Counter(these) - Counter(those)).elements())


def _changes(wanted: Document, got: Document) -> list[str]:
    found = []
    for urn in sorted({*wanted, *got}):
        one, other = wanted.get(urn, "nothing"), got.get(urn, "nothing")
        if isinstance(one, list) and isinstance(other, list):
            one, other = sorted(one), sorted(other)
        if _counts(urn) and one != other:
            found.append(f"changes: {_short(urn)}: wanted {one} got {other}")
    return found


def _operations(wanted: Document, got: Sequence[Document]) -> list[str]:
    kept = [at for at, one in enumerate(wanted["operations"]) if _counts(one["urn"])]
    before = [[kept.index(i), kept.index(j)] for i, j in wanted["before"] if i in kept and j in kept]
    labels = [_label(wanted["operations"][at]) for at in kept]
    return _arrangement("operations", [_label(one) for one in got if _counts(one["urn"])], labels, before)


def _label(operation: Document) -> str:
    return f"{operation['op']} {_short(operation['urn'])}"


def _values(what: str, wanted: Document, got: Document, ids: Ids) -> list[str]:
    return [
        f"{what}: {key}: wanted {wanted.get(key)} got {ids.named(got.get(key))}"
        for key in sorted({*wanted, *got})
        if wanted.get(key) != ids.named(got.get(key))
    ]


def _state(wanted: Sequence[Document], got: Sequence[Document], ids: Ids) -> list[str]:
    want = {(one["urn"], one.get("delete", False)): one for one in wanted if _counts(one["urn"])}
    have = {(one["urn"], one.get("delete", False)): one for one in got if _counts(one["urn"])}
    found = [
        f"state: {urn} (to be deleted: {gone}) on one side only" for urn, gone in sorted(want.keys() ^ have.keys())
    ]
    for key in sorted(want.keys() & have.keys()):
        found += _resource(want[key], have[key], ids)
    return found


def _resource(wanted: Document, got: Document, ids: Ids) -> list[str]:
    found = []
    for fact in sorted({*wanted, *got} - {"id", "result"}):
        one, other = wanted.get(fact, EMPTY.get(fact)), ids.named(got.get(fact, EMPTY.get(fact)))
        if fact == "provider" and one and not _counts(one):
            continue
        if one != other:
            found.append(f"state: {_short(wanted['urn'])}.{fact}: wanted {one} got {other}")
    if wanted.get("id") and not wanted["type"].startswith("pulumi:providers:"):
        name = ids.name(got["urn"], got["id"])
        found += (
            [] if wanted["id"] == name else [f"state: {_short(wanted['urn'])}: wanted id {wanted['id']} got {name}"]
        )
    return found


def _short(urn: str) -> str:
    return urn.split("::", 2)[-1]
