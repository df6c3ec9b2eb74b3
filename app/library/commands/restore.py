"""`restore`: makes the content of an old version the newest version."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from app.kit.clock import rfc3339
from app.kit.owner import Owner
from app.library.bookkeeping import TABLES
from app.library.commands.desk import FINE, Consent, Desk, refusal
from app.library.commands.show import row_counts
from app.library.commands.table import table
from app.library.restore import Present, Restore, require_present
from app.library.versions import NoSuchVersionError, Version, at_time, numbered


async def run(desk: Desk, owner: Owner, wanted: int | datetime, consent: Consent) -> int:
    """`wanted` is a version's number, or the time whose newest version it is."""
    restore = Restore(desk.objects, desk.keys, owner, desk.clock)
    versions = await restore.versions()
    target, present = _target(versions, owner, wanted), await restore.present(versions)
    require_present(target, present.end)
    if target == versions[0]:
        await restore.head(target)
        desk.say(f"version {target.number} of {rfc3339(target.at)} is the newest: there is nothing to restore")
        return FINE
    await _say_plan(desk, restore, versions, target, present)
    refused = refusal(desk, consent)
    if refused is not None:
        return refused
    number = await restore.append(target)
    desk.say(f"version {number} has the content of version {target.number}; nothing was overwritten")
    return FINE


def _target(versions: Sequence[Version], owner: Owner, wanted: int | datetime) -> Version:
    if not versions:
        raise NoSuchVersionError(f"library {owner.user_id}/{owner.profile_id} has no version")
    return numbered(versions, wanted) if isinstance(wanted, int) else at_time(versions, wanted)


async def _say_plan(
    desk: Desk, restore: Restore, versions: Sequence[Version], target: Version, present: Present
) -> None:
    head = await restore.head(target)
    then, now = await asyncio.to_thread(row_counts, head.image), await asyncio.to_thread(row_counts, present.head.image)
    user_id, profile_id = target.place.owner
    number = present.end.next_place.seq
    desk.say(
        f"library {user_id}/{profile_id}: version {number} gets the content of {target.number}, of {rfc3339(target.at)}"
    )
    rows = [(name, now[name], then[name]) for name in then if name not in TABLES]
    for line in table(("table", "rows now", "rows then"), rows):
        desk.say(line)
    missing = _given_up_after(versions, target)
    if missing:
        desk.say(f"came after it, and cannot be had because given up: {missing}")
    if not present.is_readable:
        desk.say(f"version {versions[0].number} does not read and stays as it is; `now` is version {present.head.seq}")
    desk.say("open pages are told to read again; files that were deleted since do not come back")


def _given_up_after(versions: Sequence[Version], target: Version) -> str:
    """Numbers between this version and the next that is kept: at the wanted time, one of them may have been newest."""
    after = [version.number for version in versions if version.place > target.place]
    kept = [version.number for version in versions if version.place > target.place and not version.is_given_up]
    lost = [number for number in after if number < min(kept, default=0)]
    if len(lost) > 1:
        return f"versions {min(lost)} to {max(lost)}"
    return f"version {lost[0]}" if lost else ""
