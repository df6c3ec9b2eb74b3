"""What must hold of a history, given the lineage that was left in the store. Each check yields what contradicts it.

Rows are only ever added, so that a state is a prefix of the last one, and an order of states is an order of lengths.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate, chain
from typing import NamedTuple

from app.kit.owner import SYSTEM_SESSION
from tests.library.simulation.history import Call, Status
from tests.library.simulation.machines import name_of


class Lineage(NamedTuple):
    """The end state. `rows`: id and the newest version that its handler found. `commits`: version to its sessions.

    `created_s`: version to the moments at which its record was written where nothing was.
    """

    rows: tuple[tuple[str, int], ...]
    commits: Mapping[int, frozenset[str]]
    created_s: Mapping[int, list[float]]


class Made(NamedTuple):
    """A row of the end state: which write made it, whose that was, and in which version it came."""

    row: str
    write: str
    session: str
    version: int


class Case:
    """One history with its lineage, in the forms that several checks need."""

    def __init__(self, calls: list[Call], lineage: Lineage) -> None:
        self.calls = calls
        self.lineage = lineage
        self.ids = tuple(row for row, _ in lineage.rows)
        self.places = {row: place for place, row in enumerate(self.ids)}
        self.attempts: dict[str, list[Call]] = defaultdict(list)
        for call in calls:
            if call.request.kind == "write":
                self.attempts[call.request.write].append(call)
        self.made = list(self._made())

    def others(self, session: str, after: int, to: int) -> Iterator[Made]:
        """What other sessions of the user made in `after` < version <= `to`."""
        return (m for m in self.made if after < m.version <= to and m.session not in (session, SYSTEM_SESSION))

    def exists(self, version: int, at_s: float) -> bool:
        return version == 0 or any(created_s <= at_s for created_s in self.lineage.created_s.get(version, ()))

    def _made(self) -> Iterator[Made]:
        """The first write of a record finds the version before it, the others find it: the last to find one is next."""
        last = {base: row for row, base in self.lineage.rows}
        head = max(self.lineage.created_s, default=0)
        for row, base in self.lineage.rows:
            version = base + 1 if last[base] == row and base < head else base
            asked = self.attempts.get(name_of(row))
            yield Made(row, name_of(row), asked[0].request.session if asked else "nobody", version)


def acknowledged_writes_are_there(case: Case) -> Iterator[str]:
    for call in _answered(case, "write", "ok"):
        if call.answer.row not in case.places:
            yield f"{call.request.write} was acknowledged as {call.answer.row} and is lost"


def every_row_was_asked_for_once(case: Case) -> Iterator[str]:
    rows = defaultdict(list)
    for made in case.made:
        rows[made.write].append(made.row)
        if made.write not in case.attempts:
            yield f"nobody asked for {made.row}"
    for write, of_write in rows.items():
        if len(of_write) > 1:
            yield f"{write} was applied {len(of_write)} times: {of_write}"


def refused_writes_are_not_there(case: Case) -> Iterator[str]:
    """Also when an earlier try of it was ambiguous: what is refused once is refused for ever.

    Not so when a write needs another: it may be tried late, when the other is there.
    """
    applied = {made.write for made in case.made}
    for write, calls in case.attempts.items():
        if write not in applied:
            continue
        if calls[0].request.refuses:
            yield f"{write} is there and its handler always refuses"
        if any(call.answer.status == "conflict" for call in calls):
            yield f"{write} is there and was answered with a conflict"
        if {call.answer.status for call in calls} == {"refused"}:
            yield f"{write} is there and was refused"


def handlers_saw_the_newest_rows(case: Case) -> Iterator[str]:
    for call in _answered(case, "write", "ok"):
        place = case.places.get(call.answer.row)
        if place is not None and place != call.answer.before:
            yield f"{call.answer.row} is row {place} and its handler had seen {call.answer.before} rows"


def repeats_get_the_same_answer(case: Case) -> Iterator[str]:
    for write, calls in case.attempts.items():
        told = {(call.answer.row, call.answer.before) for call in calls if call.answer.status == "ok"}
        if len(told) > 1:
            yield f"{write} was answered in different ways: {sorted(told)}"
        if told and calls[0].request.reuses_key:
            yield f"{write} was accepted under the key of another write"


def reads_are_states(case: Case) -> Iterator[str]:
    """A read shows a state that was committed, the one that belongs to its version."""
    for call in chain(_answered(case, "read", "ok"), _answered(case, "read", "stale")):
        version = call.answer.version
        expected = tuple(made.row for made in case.made if version is not None and made.version <= version)
        if call.answer.rows != expected:
            yield f"version {version} was read as {call.answer.rows} at {call.asked_s:.3f} s; it is {expected}"


def fresh_reads_miss_nothing(case: Case) -> Iterator[str]:
    """What any session knew when a read was asked for is in it, in rows and in version."""
    known = _Knowledge(case)
    for call in _answered(case, "read", "ok"):
        rows, version = known.at(call.asked_s)
        if len(call.answer.rows) < rows or (call.answer.version or 0) < version:
            yield (
                f"{call.request.session} read {len(call.answer.rows)} rows of version {call.answer.version} at "
                f"{call.asked_s:.3f} s, when {rows} rows and version {version} had been told"
            )


def stale_reads_are_as_new_as_their_session(case: Case) -> Iterator[str]:
    for call in _answered(case, "read", "stale"):
        if not call.request.may_be_stale:
            yield f"{call.request.session} did not permit a stale answer at {call.asked_s:.3f} s"
        if (call.answer.version or 0) < (call.request.seen or 0):
            yield f"{call.request.session} had seen {call.request.seen} and was shown {call.answer.version}"


def versions_of_a_session_never_go_back(case: Case) -> Iterator[str]:
    """But that of an acknowledgement, which is the version that has the write, also when it is repeated much later."""
    for call in case.calls:
        if _is_acknowledgement(call):
            continue
        if call.answer.version is not None and call.answer.version < call.known:
            yield (
                f"{call.request.session} knew version {call.known} and was told {call.answer.version} at "
                f"{call.answered_s:.3f} s"
            )


def acknowledgements_tell_the_version_that_has_the_write(case: Case) -> Iterator[str]:
    versions = {made.row: made.version for made in case.made}
    for call in filter(_is_acknowledgement, case.calls):
        version = versions.get(call.answer.row)
        if version is not None and call.answer.version != version:
            yield f"{call.answer.row} came with version {version}, {call.answer.version} was told"


def told_versions_are_durable(case: Case) -> Iterator[str]:
    for call in case.calls:
        version = call.answer.version
        if version is not None and not case.exists(version, call.answered_s):
            yield f"{call.request.session} was told version {version} at {call.answered_s:.3f} s, before it existed"


def conflicts_are_justified(case: Case) -> Iterator[str]:
    for call in _answered(case, "write", "conflict"):
        request, current = call.request, call.answer.version or 0
        if request.seen is None:
            yield f"{request.write} named no version and was answered with a conflict"
            continue
        others = list(case.others(request.session, request.seen, current))
        if not any(case.exists(made.version, call.answered_s) for made in others):
            yield f"{request.write} by {request.session} (saw {request.seen}) was told of a conflict at {current}"
        if call.answer.by is not None and call.answer.by not in {made.session for made in others}:
            yield f"{request.write} was told that {call.answer.by} committed in {request.seen + 1}..{current}"


def unseen_changes_are_conflicts(case: Case) -> Iterator[str]:
    for place, made in enumerate(case.made):
        seen = case.attempts[made.write][0].request.seen if made.write in case.attempts else None
        if seen is None:
            continue
        for other in case.made[:place]:
            if other.version > seen and other.session not in (made.session, SYSTEM_SESSION):
                yield f"{made.write} by {made.session} (saw {seen}) was put on top of {other}"


def refusals_are_up_to_date(case: Case) -> Iterator[str]:
    known = _Knowledge(case)
    for call in _answered(case, "write", "refused"):
        rows, _ = known.at(call.asked_s)
        request = call.request
        if request.needs and not request.refuses and not request.reuses_key:
            if any(name_of(row) == request.needs for row in case.ids[:rows]):
                yield f"{request.write} was refused for want of {request.needs}, which was known to be there"
        elif not request.refuses and not request.reuses_key:
            yield f"{request.write} was refused without a reason"


def every_version_was_created_once(case: Case) -> Iterator[str]:
    for version, created_s in case.lineage.created_s.items():
        if len(created_s) != 1:
            yield f"record {version} was created at {created_s}"
    if sorted(case.lineage.created_s) != list(range(1, len(case.lineage.created_s) + 1)):
        yield f"records are not numbered through: {sorted(case.lineage.created_s)}"


def every_commit_is_noted(case: Case) -> Iterator[str]:
    """The last one of each session, under its version, and nothing else."""
    made = {(version, session) for session, version in {made.session: made.version for made in case.made}.items()}
    noted = {(version, session) for version, sessions in case.lineage.commits.items() for session in sessions}
    if made != noted:
        yield f"made but not noted: {sorted(made - noted)}; noted but not made: {sorted(noted - made)}"
    if {made.version for made in case.made} != case.lineage.created_s.keys():
        yield f"rows are of versions {sorted(case.lineage.commits)}, records {sorted(case.lineage.created_s)} exist"


def nothing_broke(case: Case) -> Iterator[str]:
    for call in case.calls:
        if call.answer.status == "broken":
            yield f"{call.request.session} got {call.answer.detail} at {call.answered_s:.3f} s"


CHECKS: tuple[Callable[[Case], Iterator[str]], ...] = (
    nothing_broke,
    acknowledged_writes_are_there,
    every_row_was_asked_for_once,
    refused_writes_are_not_there,
    handlers_saw_the_newest_rows,
    repeats_get_the_same_answer,
    reads_are_states,
    fresh_reads_miss_nothing,
    stale_reads_are_as_new_as_their_session,
    versions_of_a_session_never_go_back,
    acknowledgements_tell_the_version_that_has_the_write,
    told_versions_are_durable,
    conflicts_are_justified,
    unseen_changes_are_conflicts,
    refusals_are_up_to_date,
    every_version_was_created_once,
    every_commit_is_noted,
)


def violations(calls: list[Call], lineage: Lineage) -> list[str]:
    """`check: what contradicts it`, for every contradiction."""
    case = Case(calls, lineage)
    return [f"{check.__name__}: {found}" for check in CHECKS for found in check(case)]


class _Knowledge:
    """How many rows, and which version, someone had been told by an answer that was not marked stale."""

    def __init__(self, case: Case) -> None:
        answered = sorted((call for call in case.calls if call.answer.status == "ok"), key=lambda call: call.answered_s)
        self._moments = [call.answered_s for call in answered]
        rows = (case.places.get(call.answer.row, -1) + 1 or len(call.answer.rows) for call in answered)
        self._rows = list(accumulate(rows, max))
        self._versions = list(accumulate((call.answer.version or 0 for call in answered), max))

    def at(self, moment_s: float) -> tuple[int, int]:
        place = bisect_left(self._moments, moment_s)
        return (self._rows[place - 1], self._versions[place - 1]) if place else (0, 0)


def _is_acknowledgement(call: Call) -> bool:
    return call.request.kind == "write" and call.answer.status == "ok"


def _answered(case: Case, kind: str, status: Status) -> Iterator[Call]:
    return (call for call in case.calls if call.request.kind == kind and call.answer.status == status)
