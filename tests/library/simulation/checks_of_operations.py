"""What must hold of restores, erasures and effects."""

from collections.abc import Callable, Iterator
from itertools import pairwise

from tests.library.simulation.case import Case
from tests.library.simulation.history import LAST, Operation
from tests.library.simulation.lineage import Version


def restores_were_asked_for(case: Case) -> Iterator[str]:
    """By an operator that had begun and had not ended; what is committed after its end is not undone by it."""
    for before, version in pairwise(case.versions):
        if version.kind != "restore":
            continue
        asked = [each for each in case.operations if each.kind == "restore" and _is_under_way(each, version)]
        targets = [case.at(each.target) for each in asked]
        of_now = [target for target in targets if target.generation == version.generation == before.generation]
        if version.rows not in [target.rows for target in of_now]:
            yield f"version {version.number} has {version.rows}, which nobody wanted back"


def completed_restores_are_there(case: Case) -> Iterator[str]:
    for each in case.operations:
        if each.kind == "restore" and each.version:
            version = case.at(each.version)
            if version.kind != "restore" or not _is_under_way(each, version):
                yield f"version {each.version} was told to be {each.target}; it is a {version.kind}"
            elif version.rows != case.at(each.target).rows:
                yield f"version {each.version} was told to be {each.target} and is not"


def completed_erasures_leave_nothing(case: Case) -> Iterator[str]:
    """What was durable when one began is behind a marker when it ends, and overwritten without names.

    But for what came after an earlier erasure, if it was not to go, too.
    """
    for each in case.operations:
        if each.kind != "erase" or each.ended_s == float("inf"):
            continue
        markers = [version for version in case.ends() if version.created_s <= each.ended_s]
        newest = case.newest_at(each.began_s).number
        is_first = not any(marker.created_s < each.began_s for marker in markers)
        closed = max((marker.number for marker in markers), default=0)
        if (each.again or is_first) and closed < newest:
            yield f"version {newest} was there at {each.began_s:.3f} s and not erased at {each.ended_s:.3f} s"
        seen = [m.number for m in markers if m.created_s < each.began_s or each.again or is_first]
        for version in case.versions[1 : max(seen, default=0)]:
            if version.kind != "erase" and version.remains != "nameless":
                yield f"record {version.number} is {version.remains} after it was erased at {each.ended_s:.3f} s"


def erasures_were_asked_for(case: Case) -> Iterator[str]:
    """By an operator who found something to erase: what came after an earlier erasure only if it was to go, too."""
    for before, version in pairwise(case.versions):
        if version.kind != "erase":
            continue
        asked = [each for each in case.operations if each.kind == "erase" and _is_under_way(each, version)]
        if not any(each.again or case.newest_at(each.began_s).generation == 0 for each in asked):
            yield f"version {version.number} ends a generation, which nobody wanted"
        if before.kind == "erase":
            yield f"version {version.number} ends a generation in which nothing was"


def nothing_of_before_an_erasure_is_told_after_it(case: Case) -> Iterator[str]:
    """To who asks once its marker is there; only a stale read may show it for a while: its machine cannot know."""
    for call in case.calls:
        if call.answer.status == "ok" and call.answer.version is not None:
            begun = case.newest_at(call.asked_s).generation
            if case.at(call.answer.version).generation < begun:
                told = f"answer to its {call.request.kind} of version {call.answer.version}"
                yield f"{call.request.session} got the {told} at {call.answered_s:.3f} s, in generation {begun}"


def committed_effects_are_carried_out(case: Case) -> Iterator[str]:
    """Whether the commit was acknowledged or not, and whatever was restored since; but not what was erased.

    And that without another write, before the last.
    """
    done = {effect.row for effect in case.effects if effect.is_done}
    for made in case.posted():
        if made.version.generation == case.versions[-1].generation and made.row not in done:
            yield f"the effect of {made.row} of version {made.version.number} was not carried out"
    for call in case.attempts[LAST]:
        left = case.newest_at(call.asked_s).outbox
        if left:
            yield f"{left} were in the outbox long after all faults had ended"


def effects_follow_their_commit(case: Case) -> Iterator[str]:
    posted = {made.row: made.version.created_s for made in case.posted()}
    for effect in case.effects:
        if effect.began_s < posted.get(effect.row, float("inf")):
            yield f"the effect of {effect.row} was carried out at {effect.began_s:.3f} s without a commit"


def effects_stay_until_they_are_carried_out(case: Case) -> Iterator[str]:
    for before, version in pairwise(case.versions):
        gone = set(before.outbox) - set(version.outbox) if version.kind != "erase" else set()
        for row in gone:
            if not any(each.row == row and each.is_done and each.ended_s <= version.created_s for each in case.effects):
                yield f"version {version.number} dropped the effect of {row} before it was carried out"


CHECKS_OF_OPERATIONS: tuple[Callable[[Case], Iterator[str]], ...] = (
    restores_were_asked_for,
    completed_restores_are_there,
    completed_erasures_leave_nothing,
    erasures_were_asked_for,
    nothing_of_before_an_erasure_is_told_after_it,
    committed_effects_are_carried_out,
    effects_follow_their_commit,
    effects_stay_until_they_are_carried_out,
)


def _is_under_way(operation: Operation, version: Version) -> bool:
    """What it made may also be there before its answer, and long after it gave up."""
    return operation.began_s <= version.created_s <= operation.ended_s
