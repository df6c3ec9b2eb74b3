import sqlite3
from collections.abc import Callable

import pytest

from app.exports import store, transitions
from app.exports.errors import SupersededError
from app.exports.store import ExportRow
from app.kit.recipe import Recipe
from app.library import outbox
from app.library.image import open_copy
from gpu.contract import MediaError
from gpu.plan.spec import EditSpec
from tests.app.scripted_renderer import result

RECIPE = Recipe(kind="extract", media_id="med_1", spec=EditSpec.of_clip(in_frame=0, out_frame=60))
Step = Callable[[sqlite3.Connection, ExportRow], ExportRow]
STEPS: dict[str, Step] = {
    "begin": lambda db, row: transitions.begin(db, row, "scripted"),
    "note_call": lambda db, row: transitions.note_call(db, row, "call-1"),
    "note_result": lambda db, row: transitions.note_result(db, row, result()),
    "note_failure": lambda db, row: transitions.note_failure(db, row, MediaError(code="internal", message=""), None),
    "complete": lambda db, row: transitions.complete(db, row, result()),
    "fail": lambda db, row: transitions.fail(db, row, "internal", "broken", None),
}


@pytest.fixture
def db() -> sqlite3.Connection:
    return open_copy(b"")


@pytest.fixture
def pending(db: sqlite3.Connection) -> ExportRow:
    row = ExportRow(
        id="exp_1",
        kind="extract",
        project_id=None,
        clip_id="clp_1",
        recipe_json=RECIPE.model_dump_json(),
        recipe_sha256=RECIPE.sha256,
        source_key="source",
        output_key="output",
        title="Goal",
        status="pending",
        attempt=1,
        restarts=0,
        renderer=None,
        call_id=None,
        result_json=None,
        phase="queued",
        frames_done=0,
        frames_total=60,
        reel_id=None,
        error_code=None,
        error_message=None,
        created_at="2026-01-01T00:00:00.000Z",
        updated_at="2026-01-01T00:00:00.000Z",
    )
    store.insert(db, row)
    return row


def test_the_way_to_a_reel(db: sqlite3.Connection, pending: ExportRow) -> None:
    row = pending
    for step in ("begin", "note_call", "note_result", "complete"):
        row = STEPS[step](db, row)
    assert store.find(db, "exp_1") == row
    assert (row.status, row.call_id, row.attempt, row.frames_done) == ("complete", "call-1", 1, 60)
    assert [tuple(reel) for reel in db.execute("SELECT id, export_id, version FROM reels")] == [
        (row.reel_id, "exp_1", 1)
    ]


@pytest.mark.parametrize("step", sorted(STEPS))
def test_nothing_moves_a_cancelled_export(db: sqlite3.Connection, pending: ExportRow, step: str) -> None:
    row = STEPS["note_result"](db, STEPS["begin"](db, pending)) if step == "complete" else STEPS["begin"](db, pending)
    transitions.cancel(db, "exp_1", None)
    with pytest.raises(SupersededError):
        STEPS[step](db, row)
    assert transitions.find(db, "exp_1").status == "cancelled"


@pytest.mark.parametrize("step", sorted(STEPS))
def test_nothing_moves_an_export_whose_next_attempt_has_begun(
    db: sqlite3.Connection, pending: ExportRow, step: str
) -> None:
    old = STEPS["begin"](db, pending)
    new = STEPS["begin"](db, old)
    assert (new.attempt, new.restarts) == (2, 1)
    if step == "complete":
        old = STEPS["note_result"](db, new).model_copy(update={"attempt": 1})
    with pytest.raises(SupersededError):
        STEPS[step](db, old)


def test_an_export_completes_once(db: sqlite3.Connection, pending: ExportRow) -> None:
    rendered = STEPS["note_result"](db, STEPS["begin"](db, pending))
    STEPS["complete"](db, rendered)
    with pytest.raises(SupersededError):
        STEPS["complete"](db, rendered)
    assert db.execute("SELECT count(*) FROM reels").fetchone()[0] == 1


def test_a_retry_begins_clean(db: sqlite3.Connection, pending: ExportRow) -> None:
    STEPS["fail"](db, STEPS["note_call"](db, STEPS["begin"](db, pending)))
    row = transitions.retry(db, "exp_1")
    assert (row.status, row.attempt, row.call_id, row.error_code, row.restarts) == ("pending", 2, None, None, 0)
    assert row.recipe_json == pending.recipe_json


@pytest.mark.parametrize(
    ("steps", "end", "posted"),
    [
        ((), "cancel", 0),
        (("begin",), "cancel", 0),
        (("begin", "note_call"), "cancel", 1),
        (("begin", "note_call"), "fail", 1),
        (("begin", "note_call"), "note_failure", 0),
        (("begin", "note_call", "note_result"), "cancel", 0),
        (("begin", "note_call", "note_result"), "fail", 0),
        (("begin", "note_call", "note_result", "complete"), None, 0),
    ],
)
def test_who_lets_go_of_a_call_that_may_run_posts_its_end(
    db: sqlite3.Connection, pending: ExportRow, steps: tuple[str, ...], end: str | None, posted: int
) -> None:
    row = pending
    for step in steps:
        row = STEPS[step](db, row)
    if end == "cancel":
        transitions.cancel(db, row.id, None)
        transitions.cancel(db, row.id, None)
    elif end is not None:
        STEPS[end](db, row)
    assert [(effect.topic, effect.body_json) for effect in outbox.due(db)] == [
        ("end-call", '{"renderer":"scripted","call_id":"call-1"}')
    ] * posted
