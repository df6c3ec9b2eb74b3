"""What must hold of what the sessions were told, given the lineage. Each check yields what contradicts it."""

from collections import defaultdict
from collections.abc import Callable, Iterator

from tests.library.simulation.case import Case
from tests.library.simulation.checks_of_operations import CHECKS_OF_OPERATIONS
from tests.library.simulation.checks_of_records import CHECKS_OF_RECORDS
from tests.library.simulation.history import Call, History
from tests.library.simulation.lineage import Lineage
from tests.library.simulation.machines import name_of

_OLDEST_STALE_READ_S = 600.0


def nothing_broke(case: Case) -> Iterator[str]:
    for call in case.calls:
        if call.answer.status == "broken":
            yield f"{call.request.session} got {call.answer.detail} at {call.answered_s:.3f} s"


def acknowledged_writes_are_there(case: Case) -> Iterator[str]:
    """In the version that brought them; `every_version_continues_the_one_before` says what becomes of them."""
    for call in case.answered("write", "ok"):
        if call.answer.row not in case.made:
            yield f"{call.request.write} was acknowledged as {call.answer.row} and is lost"


def every_row_was_asked_for_once(case: Case) -> Iterator[str]:
    """In each generation: an erasure takes the keys along."""
    rows = defaultdict(list)
    for made in case.made.values():
        rows[made.write, made.version.generation].append(made.row)
        if made.write not in case.attempts:
            yield f"nobody asked for {made.row}"
    for (write, _), of_write in rows.items():
        if len(of_write) > 1:
            yield f"{write} was applied {len(of_write)} times: {of_write}"


def refused_writes_are_not_there(case: Case) -> Iterator[str]:
    """Also when an earlier try of it was ambiguous: what is refused once is refused for ever.

    Not so when a write needs another: it may be tried late, when the other is there. And a conflict with an erasure
    may be the answer to a write that was erased.
    """
    for made in case.made.values():
        calls = case.attempts[made.write]
        if any(call.request.refuses for call in calls):
            yield f"{made.write} is there and its handler always refuses"
        for call in calls:
            told = call.answer.version or 0
            if call.answer.status == "conflict" and case.at(told).generation <= made.version.generation:
                yield f"{made.write} is there and was answered with a conflict"
        if calls and {call.answer.status for call in calls} == {"refused"}:
            yield f"{made.write} is there and was refused"


def handlers_saw_the_newest_rows(case: Case) -> Iterator[str]:
    for call in case.answered("write", "ok"):
        made = case.made.get(call.answer.row)
        if made is not None and made.version.rows.index(made.row) != call.answer.before:
            place = made.version.rows.index(made.row)
            yield f"{made.row} is row {place} and its handler had seen {call.answer.before} rows"


def repeats_get_the_same_answer(case: Case) -> Iterator[str]:
    """In each generation."""
    for write, calls in case.attempts.items():
        told = defaultdict(set)
        for call in calls:
            made = case.made.get(call.answer.row) if call.answer.status == "ok" else None
            if made is not None:
                told[made.version.generation].add((call.answer.row, call.answer.before))
        for answers in told.values():
            if len(answers) > 1:
                yield f"{write} was answered in different ways: {sorted(answers)}"


def keys_belong_to_one_write(case: Case) -> Iterator[str]:
    """In each generation."""
    owners: dict[tuple[str, int], str] = {}
    for made in case.made.values():
        key = case.attempts[made.write][0].request.key if made.write in case.attempts else None
        first = owners.setdefault((key, made.version.generation), made.write) if key else made.write
        if first != made.write:
            yield f"{made.write} was accepted under the key of {first}"


def reads_are_states(case: Case) -> Iterator[str]:
    """A read shows a state that was committed, the one that belongs to its version."""
    for call in case.answered("read", "ok", "stale"):
        version = call.answer.version
        if version is None or not case.exists(version, call.answered_s):
            yield f"version {version} was read at {call.answered_s:.3f} s, before it existed"
        elif call.answer.rows != case.versions[version].rows:
            expected = case.versions[version].rows
            yield f"version {version} was read as {call.answer.rows} at {call.asked_s:.3f} s; it is {expected}"


def fresh_reads_miss_nothing(case: Case) -> Iterator[str]:
    """What was durable when a read was asked for is in it, whether anyone had been told or not."""
    for call in case.answered("read", "ok"):
        newest = case.newest_at(call.asked_s).number
        if (call.answer.version or 0) < newest:
            yield (
                f"{call.request.session} read version {call.answer.version} at {call.asked_s:.3f} s, "
                f"when version {newest} was durable"
            )


def stale_reads_are_as_new_as_their_session(case: Case) -> Iterator[str]:
    for call in case.answered("read", "stale"):
        if not call.request.may_be_stale:
            yield f"{call.request.session} did not permit a stale answer at {call.asked_s:.3f} s"
        if (call.answer.version or 0) < (call.request.seen or 0):
            yield f"{call.request.session} had seen {call.request.seen} and was shown {call.answer.version}"


def stale_reads_are_of_the_last_minutes(case: Case) -> Iterator[str]:
    """By the clock of the machine, which may have stood. So what was erased is not shown for longer."""
    for call in case.answered("read", "stale"):
        then = case.newest_at(call.answered_s - _OLDEST_STALE_READ_S - case.lineage.lag_s).number
        if (call.answer.version or 0) < then:
            yield f"version {call.answer.version} was read at {call.answered_s:.3f} s; {then} was long there"


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
    for call in filter(_is_acknowledgement, case.calls):
        made = case.made.get(call.answer.row)
        if made is not None and call.answer.version != made.version.number:
            yield f"{made.row} came with version {made.version.number}, {call.answer.version} was told"


def told_versions_are_durable(case: Case) -> Iterator[str]:
    for call in case.calls:
        version = call.answer.version
        if version is not None and not case.exists(version, call.answered_s):
            yield f"{call.request.session} was told version {version} at {call.answered_s:.3f} s, before it existed"


def conflicts_are_justified(case: Case) -> Iterator[str]:
    """By what others made since, in the generation of now: that it is one, too."""
    for call in case.answered("write", "conflict"):
        request, current = call.request, call.answer.version or 0
        if request.seen is None:
            yield f"{request.write} named no version and was answered with a conflict"
            continue
        generation = case.at(current).generation
        others = [
            other for other in case.others(request.session, request.seen, current) if other[0].generation == generation
        ]
        if not any(version.created_s <= call.answered_s for version, _ in others):
            yield f"{request.write} by {request.session} (saw {request.seen}) was told of a conflict at {current}"
        if call.answer.by not in {who for _, who in others}:
            yield f"{request.write} was told that {call.answer.by} committed in {request.seen + 1}..{current}"


def unseen_changes_are_conflicts(case: Case) -> Iterator[str]:
    """Restores and erasures, too."""
    for made in case.made.values():
        seen = case.attempts[made.write][0].request.seen if made.write in case.attempts else None
        if seen is not None:
            for version, who in case.others(made.session, seen, made.version.number):
                yield f"{made.write} by {made.session} (saw {seen}) was put on top of {version.number} by {who}"


def refusals_are_up_to_date(case: Case) -> Iterator[str]:
    """Some version that was the newest between question and answer justifies them."""
    for call in case.answered("write", "refused"):
        request = call.request
        if request.refuses or request.reuses_key:
            continue
        first, last = case.newest_at(call.asked_s).number, case.newest_at(call.answered_s).number
        between = case.versions[first : last + 1]
        if not request.needs:
            yield f"{request.write} was refused without a reason"
        elif all(any(name_of(row) == request.needs for row in version.rows) for version in between):
            yield f"{request.write} was refused for want of {request.needs}, which was there from {first} to {last}"


CHECKS: tuple[Callable[[Case], Iterator[str]], ...] = (
    nothing_broke,
    acknowledged_writes_are_there,
    every_row_was_asked_for_once,
    refused_writes_are_not_there,
    handlers_saw_the_newest_rows,
    repeats_get_the_same_answer,
    keys_belong_to_one_write,
    reads_are_states,
    fresh_reads_miss_nothing,
    stale_reads_are_as_new_as_their_session,
    stale_reads_are_of_the_last_minutes,
    versions_of_a_session_never_go_back,
    acknowledgements_tell_the_version_that_has_the_write,
    told_versions_are_durable,
    conflicts_are_justified,
    unseen_changes_are_conflicts,
    refusals_are_up_to_date,
    *CHECKS_OF_RECORDS,
    *CHECKS_OF_OPERATIONS,
)


def violations(history: History, lineage: Lineage) -> list[str]:
    """`check: what contradicts it`, for every contradiction."""
    case = Case(history, lineage)
    return [f"{check.__name__}: {found}" for check in CHECKS for found in check(case)]


def _is_acknowledgement(call: Call) -> bool:
    return call.request.kind == "write" and call.answer.status == "ok"
