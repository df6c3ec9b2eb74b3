"""`erase`: removes what is stored of a user, in two runs 48 hours apart."""

from collections.abc import Sequence

from app.kit.clock import rfc3339
from app.library.commands.desk import FINE, Consent, Desk, refusal
from app.library.commands.table import Cell, table
from app.library.erase import Eraser, Profile, Stored

_COLUMNS = ("profile", "records", "with content", "other objects", "bytes", "what is done")


async def run(desk: Desk, user_id: str, consent: Consent, *, again: bool) -> int:
    """All profiles of the user; `again`: also what was committed since an erasure."""
    eraser = Eraser(desk.objects, desk.keys, user_id, desk.clock)
    stored = await eraser.survey()
    if stored.is_nothing:
        desk.say(f"nothing is stored of user {user_id} below {desk.keys.user_prefix(user_id)}")
        return FINE
    _say_plan(desk, eraser, stored, again=again)
    refused = refusal(desk, consent)
    if refused is not None:
        return refused
    done = await eraser.erase(again=again)
    desk.say(
        f"user {user_id}: {done.closed:,} libraries closed, {done.overwritten:,} records overwritten, "
        f"{done.deleted:,} objects deleted"
    )
    desk.say("unfinished uploads are in no listing: the bucket's lifecycle rule ends them")
    if done.sweep_at is not None:
        desk.say(f"run this again after {rfc3339(done.sweep_at)}: it then deletes what came late")
    return FINE


def _say_plan(desk: Desk, eraser: Eraser, stored: Stored, *, again: bool) -> None:
    rows = [_row(eraser, profile, again=again) for profile in stored.profiles]
    if rows:
        for line in table(_COLUMNS, rows):
            desk.say(line)
    desk.say(f"{len(stored.strays):,} objects beside the profiles, {len(stored.jobs):,} markers of unfinished jobs")
    spared = _spared(stored.profiles, again=again)
    if spared:
        desk.say(f"used again since they were erased: {spared}; what is new in them stays, say --again to erase it too")


def _row(eraser: Eraser, profile: Profile, *, again: bool) -> list[Cell]:
    total = sum(version.size_bytes for version in profile.versions) + sum(each.size_bytes for each in profile.others)
    counts = (len(profile.versions), len(profile.with_content), len(profile.others), total)
    return [profile.owner.profile_id, *counts, _what(eraser, profile, again=again)]


def _what(eraser: Eraser, profile: Profile, *, again: bool) -> str:
    if eraser.must_close(profile, again=again):
        return "erase it"
    marker = profile.markers[0]
    swept = "sweep" if eraser.is_due(marker) else "finish"
    return f"{swept} what was erased at {rfc3339(marker.at)}"


def _spared(profiles: Sequence[Profile], *, again: bool) -> str:
    return ", ".join(profile.owner.profile_id for profile in profiles if profile.is_reused and not again)
