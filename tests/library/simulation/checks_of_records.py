"""What must hold of the records alone: each continues the one before, and is never anything else again."""

from collections.abc import Callable, Iterator
from itertools import pairwise

from app.kit.owner import SYSTEM_SESSION
from app.library.bookkeeping import ERASER_SESSION
from tests.library.simulation.case import Case


def every_version_was_created_once(case: Case) -> Iterator[str]:
    """One after the other, in one generation after the other."""
    yield from case.lineage.flaws


def every_version_continues_the_one_before(case: Case) -> Iterator[str]:
    """A write keeps all rows; a restore has those of its target; an erasure none."""
    for before, version in pairwise(case.versions):
        if version.kind == "write" and version.rows[: len(before.rows)] != before.rows:
            yield f"version {version.number} lost rows of {before.rows}"
        if version.kind == "restore" and version.outbox != before.outbox:
            yield f"version {version.number} has other effects than the one before it"
        if version.kind == "erase" and (version.rows or version.commits or version.outbox):
            yield f"version {version.number} begins with {version.rows}"


def every_commit_is_noted(case: Case) -> Iterator[str]:
    """Under its version, as the last of its session; the first after an erasure notes that, too."""
    for before, version in pairwise(case.versions):
        expected = {(number, session) for number, session in before.commits if session not in version.writers}
        expected |= {(version.number, writer) for writer in version.writers}
        if before.kind == "erase":
            expected.add((before.number, ERASER_SESSION))
        if version.kind != "erase" and version.commits != expected:
            yield f"version {version.number} by {sorted(version.writers)} notes {sorted(version.commits)}"


def who_made_rows_is_noted(case: Case) -> Iterator[str]:
    """The system also commits that it has carried out an effect."""
    idle = 0
    for version in case.versions[1:]:
        sessions = {made.session for made in case.made.values() if made.version is version}
        if version.kind == "write" and version.writers - {SYSTEM_SESSION} != sessions - {SYSTEM_SESSION}:
            yield f"version {version.number} is by {sorted(version.writers)}, its rows by {sorted(sessions)}"
        idle += version.kind == "write" and not sessions
    done = sum(effect.is_done for effect in case.effects)
    if idle > done:
        yield f"{idle} versions brought no row, and {done} effects were carried out"


def records_are_only_buried(case: Case) -> Iterator[str]:
    for version in case.versions[1:]:
        is_needed = version.kind == "erase" or version is case.versions[-1]
        if version.remains == "changed" or (is_needed and version.remains != "whole"):
            yield f"record {version.number} ({version.kind}) is {version.remains}"


CHECKS_OF_RECORDS: tuple[Callable[[Case], Iterator[str]], ...] = (
    every_version_was_created_once,
    every_version_continues_the_one_before,
    every_commit_is_noted,
    who_made_rows_is_noted,
    records_are_only_buried,
)
