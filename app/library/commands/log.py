"""`log`: the versions of a library, newest first. Reads headers, no content."""

from app.kit.clock import rfc3339
from app.kit.owner import Owner
from app.library.commands.desk import FINE, Desk
from app.library.commands.table import Cell, table
from app.library.errors import NewerSchemaError
from app.library.record import Header
from app.library.versions import Unknown, Version, headers_of, list_versions

_COLUMNS = ("version", "time", "kind", "record bytes", "image bytes", "sessions")


async def run(desk: Desk, owner: Owner, limit: int) -> int:
    """Always 0: damage is named, `verify` judges it."""
    versions = await list_versions(desk.objects, desk.keys, owner)
    if not versions:
        await _say_nothing(desk, owner)
        return FINE
    shown = versions[:limit]
    headers = await headers_of(desk.objects, desk.keys, shown)
    rows = [_row(version, header) for version, header in zip(shown, headers, strict=True)]
    for line in table(_COLUMNS, rows):
        desk.say(line)
    total = sum(version.size_bytes for version in versions)
    desk.say(
        f"{len(shown):,} of {len(versions):,} records of library {owner.user_id}/{owner.profile_id}, {total:,} bytes"
    )
    return FINE


async def _say_nothing(desk: Desk, owner: Owner) -> None:
    desk.say(f"library {owner.user_id}/{owner.profile_id} has no version in {desk.keys.library_prefix(owner)}")
    legacy = desk.keys.legacy_database(owner)
    if await desk.objects.head(legacy) is not None:
        desk.say(f"{legacy} becomes version 1 when the library is first opened")


def _row(version: Version, header: Header | Unknown) -> list[Cell]:
    if not isinstance(header, Header):
        kind = "newer format" if isinstance(header, NewerSchemaError) else "damaged"
        return [version.number, rfc3339(version.at), kind, version.size_bytes, "-", "-"]
    at = header.committed_at if header.kind == "tombstone" else rfc3339(version.at)
    image = header.image_bytes if header.kind in ("full", "delta") else "-"
    return [version.number, at or "-", _kind(header), version.size_bytes, image, ", ".join(header.writers) or "-"]


def _kind(header: Header) -> str:
    if header.kind == "tombstone":
        return "given up"
    if header.kind == "erased":
        return f"erased: ends generation {header.generation}"
    return header.kind
