"""`show`: the facts of one version, and how many rows its tables have."""

import asyncio
import sqlite3
from contextlib import closing

from app.kit.clock import rfc3339
from app.kit.owner import Owner
from app.library.commands.desk import FINE, Desk
from app.library.commands.table import table
from app.library.head import Head
from app.library.image import open_reader
from app.library.record import Header
from app.library.restore import Restore
from app.library.versions import NoSuchVersionError, Version, header_of, numbered


async def run(desk: Desk, owner: Owner, number: int | None) -> int:
    """0, or an error: the version is unpacked and compared with its hashes."""
    restore = Restore(desk.objects, desk.keys, owner, desk.clock)
    versions = await restore.versions()
    if not versions:
        raise NoSuchVersionError(f"library {owner.user_id}/{owner.profile_id} has no version")
    version = numbered(versions, versions[0].number if number is None else number)
    header = await header_of(desk.objects, desk.keys, version)
    if header.kind == "erased":
        desk.say(f"version {version.number} of {rfc3339(version.at)}: the library was erased, and is empty since")
        return FINE
    head = await restore.head(version)
    for line in table(("fact", "value"), _facts(version, header, head)):
        desk.say(line)
    desk.say("")
    for line in table(
        ("table", "rows"), [list(item) for item in (await asyncio.to_thread(row_counts, head.image)).items()]
    ):
        desk.say(line)
    return FINE


def row_counts(image: bytes) -> dict[str, int]:
    """Of each table of the newest schema, in alphabetical order."""
    with closing(open_reader(image)) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        ).fetchall()
        return {name: _rows(connection, name) for (name,) in names}


def _rows(connection: sqlite3.Connection, name: str) -> int:
    (count,) = connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()  # noqa: S608 -- from the schema
    return int(count)


def _facts(version: Version, header: Header, head: Head) -> list[tuple[str, str]]:
    base = "in the record" if header.kind == "full" else f"version {header.base_seq}"
    return [
        ("version", str(version.number)),
        ("generation", str(version.place.generation)),
        ("stored at", rfc3339(version.at)),
        ("committed at", f"{header.committed_at} by the writer's clock"),
        ("sessions", ", ".join(header.writers) or "-"),
        ("kind", f"{header.kind}, base {base}, patches {len(header.patch_bytes)}"),
        ("schema", str(header.schema_version)),
        ("record", f"{version.size_bytes:,} bytes, SHA-256 {head.record_sha256}"),
        ("image", f"{len(head.image):,} bytes, root {header.image_root} (verified)"),
        ("continues", header.prev_sha256 or "nothing: it is the first"),
    ]
