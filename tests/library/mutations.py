"""Breaks the library in one line at a time, in a copy, and sees whether the test that should go red does.

    python -m tests.library.mutations [--only I4]
    python -m tests.library.mutations --table

Exit status 1 when one survives. A test of the normal run holds that each line is still there, once.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from infra.sources import ROOT

_COPIED = ("app", "gpu", "infra", "tests", "pyproject.toml")
_PATIENCE_S = 120
_LIBRARY = "app/library"
_INVARIANTS = "tests/library/test_invariants.py"
_FUZZ = "tests/library/test_fuzz.py"
_LEGACY = "tests/app/library/test_legacy.py"


class Mutation(NamedTuple):
    """`old` occurs once in `path`; `test` is a pytest id that must fail once it is `new`."""

    breaks: str
    path: str
    old: str
    new: str
    test: str


MUTATIONS = (
    Mutation(
        "I1",
        f"{_LIBRARY}/log.py",
        "return None if taken.body == body else taken.body",
        "return None",
        f"{_INVARIANTS}::test_i1_who_lost_the_number_is_acknowledged_for_the_record_that_has_the_change",
    ),
    Mutation(
        "I1",
        f"{_LIBRARY}/library.py",
        "header.nonce == parse(record, place).header.nonce",
        "header.seq == parse(record, place).header.seq",
        f"{_INVARIANTS}::test_i1_who_lost_the_number_is_acknowledged_for_the_record_that_has_the_change",
    ),
    Mutation(
        "I1",
        f"{_LIBRARY}/library.py",
        "if self._is_ours(head, record, taken):",
        "if False:",
        f"{_INVARIANTS}::test_i1_a_record_that_was_buried_before_its_writer_knew_of_it_is_acknowledged_and_not_repeated",
    ),
    Mutation(
        "I2",
        f"{_LIBRARY}/log.py",
        "await self._objects.create(key, body) is not None",
        "await self._objects.put(key, body) is not None",
        f"{_INVARIANTS}::test_i2_a_number_that_two_want_is_given_once",
    ),
    Mutation(
        "I2",
        f"{_LIBRARY}/retention.py",
        "await self._objects.replace(key, tombstone, stored.etag) is not None",
        "await self._objects.delete(key) is None",
        f"{_INVARIANTS}::test_i2_a_number_whose_record_was_given_up_stays_taken",
    ),
    Mutation(
        "I2",
        f"{_LIBRARY}/opener.py",
        "return empty_head(self._owner, place.generation + 1, place.seq, record.sha256)",
        "return empty_head(self._owner, place.generation + 1, 0, record.sha256)",
        f"{_INVARIANTS}::test_i2_the_numbers_go_on_in_the_next_generation",
    ),
    Mutation(
        "I3",
        f"{_LIBRARY}/opener.py",
        "record.header.prev_sha256 != head.record_sha256",
        "not record.header.prev_sha256",
        f"{_INVARIANTS}::test_i3_a_cached_version_is_not_continued_by_another_lineage",
    ),
    Mutation(
        "I3",
        f"{_LIBRARY}/connections.py",
        "if version == head.record_sha256:",
        "if version:",
        f"{_INVARIANTS}::test_i3_connections_are_used_for_the_version_that_they_were_opened_for_only",
    ),
    Mutation(
        "I3",
        f"{_LIBRARY}/connections.py",
        "if reader is None or reader.version != head.record_sha256:",
        "if reader is None:",
        f"{_INVARIANTS}::test_i3_connections_are_used_for_the_version_that_they_were_opened_for_only",
    ),
    Mutation(
        "I3",
        f"{_LIBRARY}/head.py",
        "or blocks.root_of(digests) != header.image_root",
        "or not header.image_root",
        f"{_INVARIANTS}::test_i3_an_image_that_is_not_the_one_of_its_hash_is_not_used",
    ),
    Mutation(
        "I4",
        f"{_LIBRARY}/log.py",
        "if loop.time() + pause > give_up:\n                    raise\n",
        "if loop.time() + pause > give_up:\n                    return None\n",
        f"{_INVARIANTS}::test_i4_a_write_of_unknown_fate_is_a_503_and_its_repetition_finds_out",
    ),
    Mutation(
        "I4",
        f"{_LIBRARY}/library.py",
        "if await self._is_newest(head):\n                    _tell(group)",
        "if True:\n                    _tell(group)",
        f"{_INVARIANTS}::test_i4_while_the_newest_version_is_unknown_nothing_is_refused",
    ),
    Mutation(
        "I4",
        f"{_LIBRARY}/library.py",
        "(await self._newer_than(head)).position == head.position",
        "(await self._newer_than(head)).position >= head.position",
        f"{_INVARIANTS}::test_i4_what_an_old_version_would_refuse_is_decided_on_the_newest",
    ),
    Mutation(
        "I5",
        f"{_LIBRARY}/library.py",
        "self._advance(await self._opener.newest(), sent_at)",
        "self._advance(await self._opener.newest(), _time())",
        f"{_INVARIANTS}::test_i5_a_version_is_as_old_as_the_request_that_found_it[open]",
    ),
    Mutation(
        "I5",
        f"{_LIBRARY}/library.py",
        "return self._advance(head, sent_at)",
        "return self._advance(head, _time())",
        f"{_INVARIANTS}::test_i5_a_version_is_as_old_as_the_request_that_found_it[look]",
    ),
    Mutation(
        "I5",
        f"{_LIBRARY}/library.py",
        "self._advance(tried.head, sent_at)",
        "self._advance(tried.head, _time())",
        f"{_INVARIANTS}::test_i5_a_version_is_as_old_as_the_request_that_found_it[commit]",
    ),
    Mutation(
        "I5",
        f"{_LIBRARY}/library.py",
        "elif known.head.position == head.position:",
        "else:",
        f"{_INVARIANTS}::test_i5_a_look_that_found_nothing_behind_an_old_version_says_nothing_of_a_newer_one",
    ),
    Mutation(
        "I5",
        f"{_LIBRARY}/library.py",
        "            self._next_look = None\n",
        "            pass\n",
        f"{_INVARIANTS}::test_i5_a_look_serves_only_those_who_came_before_it_was_sent",
    ),
    Mutation(
        "I5",
        f"{_LIBRARY}/libraries.py",
        " or confirmed.head.seq < (request.seen_version or 0):",
        ":",
        f"{_INVARIANTS}::test_i5_a_stale_read_is_never_older_than_what_the_client_saw",
    ),
    Mutation(
        "I6",
        f"{_LIBRARY}/library.py",
        "elif await self._append(head, tried):",
        "elif _tell(group) is None and await self._append(head, tried):",
        f"{_INVARIANTS}::test_i6_nobody_hears_of_a_change_before_it_is_durable",
    ),
    Mutation(
        "I6",
        f"{_LIBRARY}/library.py",
        'record = tried.record or b""',
        'record = self._advance(tried.head, 0.0) and tried.record or b""',
        f"{_INVARIANTS}::test_i6_nobody_hears_of_a_change_before_it_is_durable",
    ),
    Mutation(
        "I6",
        "app/exports/runner.py",
        'row.model_copy(update={"status": "finalizing"})',
        'row.model_copy(update={"status": "complete"})',
        f"{_INVARIANTS}::test_i6_an_export_is_complete_when_its_reel_is_durable",
    ),
    Mutation(
        "I7",
        f"{_LIBRARY}/log.py",
        'raise StoreUnavailableError(f"record {place.seq} was listed but not found; try again in a moment")',
        "return None",
        f"{_INVARIANTS}::test_i7_a_record_that_is_listed_and_not_found_is_an_error",
    ),
    Mutation(
        "I7",
        f"{_LIBRARY}/opener.py",
        'if record.header.kind == "erased":',
        'if record.header.kind != "full":',
        f"{_INVARIANTS}::test_i7_a_record_of_each_kind_is_read_or_an_error",
    ),
    Mutation(
        "I7",
        f"{_LIBRARY}/legacy.py",
        'if verdict != "ok":',
        'if verdict == "":',
        f"{_INVARIANTS}::test_i7_an_old_database_that_is_corrupt_is_an_error",
    ),
    Mutation(
        "another's record",
        f"{_LIBRARY}/record.py",
        "if (Owner(header.user_id, header.profile_id), header.generation, header.seq) != place:",
        "if header.seq != place.seq:",
        f"{_FUZZ}::test_a_record_in_the_place_of_another_is_refused",
    ),
    Mutation(
        "a replayed record",
        f"{_LIBRARY}/record.py",
        "if (Owner(header.user_id, header.profile_id), header.generation, header.seq) != place:",
        "if (Owner(header.user_id, header.profile_id), header.generation) != place[:2]:",
        f"{_FUZZ}::test_a_record_in_the_place_of_another_is_refused",
    ),
    Mutation(
        "a base by its hash",
        f"{_LIBRARY}/head.py",
        " or record.sha256 != wanted_sha256:",
        ":",
        f"{_FUZZ}::test_a_delta_whose_base_is_not_what_it_was_is_refused",
    ),
    Mutation(
        "a frame's size",
        f"{_LIBRARY}/frames.py",
        "if size > max_bytes:",
        "if size > 2**64:",
        f"{_FUZZ}::test_what_unpacks_to_more_than_it_may_is_refused_in_bounded_memory",
    ),
    Mutation(
        "a header's length",
        f"{_LIBRARY}/record.py",
        "if length > MAX_HEADER_BYTES - start:",
        "if length > 2**32:",
        f"{_FUZZ}::test_a_header_longer_than_any_is_not_read",
    ),
    Mutation(
        "a newer release",
        f"{_LIBRARY}/head.py",
        "if header.schema_version > SCHEMA_VERSION:",
        "if header.schema_version > SCHEMA_VERSION + 9:",
        f"{_FUZZ}::test_what_a_newer_release_wrote_is_never_opened",
    ),
    Mutation(
        "an import, once",
        f"{_LIBRARY}/opener.py",
        "        if taken is not None:\n            raise HistoryMovedOnError(",
        "        if taken == b'':\n            raise HistoryMovedOnError(",
        f"{_LEGACY}::test_of_processes_that_open_it_at_once_one_imports",
    ),
    Mutation(
        "an import beside a WAL",
        f"{_LIBRARY}/legacy.py",
        'if await self._objects.head(f"{self._key}-wal") is not None:',
        "if False:",
        f"{_LEGACY}::test_a_write_ahead_log_beside_it_is_refused",
    ),
    Mutation(
        "an import of what is not ours",
        f"{_LIBRARY}/schema.py",
        "if version < 0 or (version == 0 and found):",
        "if version < 0:",
        f"{_LEGACY}::test_tables_of_something_else_are_refused",
    ),
    Mutation(
        "an import behind an end",
        f"{_LIBRARY}/opener.py",
        "return erased or await self._imported()",
        "return await self._imported() or erased",
        f"{_LEGACY}::test_a_library_that_was_erased_does_not_come_back_from_the_old_object",
    ),
)


def occurrences(mutation: Mutation, root: Path = ROOT) -> int:
    return (root / mutation.path).read_text().count(mutation.old)


def table() -> str:
    """Markdown: what it breaks, the line before and after, the test that goes red."""
    head = "| breaks | file | before | after | test that goes red |\n|---|---|---|---|---|"
    return "\n".join([head, *map(_row, MUTATIONS)])


def _row(mutation: Mutation) -> str:
    before, after = _changed_line(mutation)
    return f"| {mutation.breaks} | `{mutation.path}` | `{before}` | `{after}` | `{mutation.test.partition('::')[2]}` |"


def _changed_line(mutation: Mutation) -> tuple[str, str]:
    """Before and after; raises ValueError when more than one changes."""
    pairs = zip(mutation.old.splitlines(), mutation.new.splitlines(), strict=True)
    ((before, after),) = ((old.strip(), new.strip()) for old, new in pairs if old != new)
    return before, after


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.library.mutations", description=__doc__)
    parser.add_argument("--only", help="those that break this, as I4")
    parser.add_argument("--table", action="store_true", help="print them as they stand in the documentation")
    given = parser.parse_args(arguments)
    if given.table:
        _say(table())
        return 0
    wanted = [mutation for mutation in MUTATIONS if given.only in (None, mutation.breaks)]
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(Path(folder))
        if not passes(copy, *sorted({mutation.test for mutation in wanted})):
            _say("the tests fail without any mutation")
            return 1
        survived = [mutation for mutation in wanted if not caught(mutation, copy)]
    _say(f"{len(wanted) - len(survived)} of {len(wanted)} caught")
    return 1 if survived else 0


def copied(folder: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", ".local", "dist")
    for name in _COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


def caught(mutation: Mutation, copy: Path) -> bool:
    path = copy / mutation.path
    source = path.read_text()
    path.write_text(source.replace(mutation.old, mutation.new))
    try:
        red = not passes(copy, mutation.test)
    finally:
        path.write_text(source)
    _say(f"{'caught' if red else 'SURVIVED':8} {mutation.breaks}: {mutation.path}: {_changed_line(mutation)[1]}")
    return red


def passes(copy: Path, *tests: str) -> bool:
    """A test that hangs has failed. Raises RuntimeError when pytest found no test to run."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"--timeout={_PATIENCE_S}", *tests],
        cwd=copy,
        # Bytecode of a line that changes within a second would be taken for that of the line before.
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise RuntimeError(f"pytest ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.returncode == 0


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
