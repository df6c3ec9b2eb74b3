"""One page of a bucket's keys in UTF-8 order, with common prefixes folded into one entry each."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from typing import NamedTuple

from infra.localcloud.r2.store.database import Database

_LAST_CODE_POINT = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


class Listed(NamedTuple):
    """`etag` without quotes; `modified_at` in Unix seconds."""

    key: str
    size: int
    etag: str
    modified_at: float


class Cursor(NamedTuple):
    """A page begins after this key, or after everything that starts with it if it is a common prefix."""

    text: str
    is_prefix: bool = False


BEGINNING = Cursor("")


@dataclass(frozen=True)
class Query:
    bucket: str
    prefix: str = ""
    delimiter: str = ""
    after: Cursor = BEGINNING
    limit: int = 1000


@dataclass
class Page:
    """`last` is where the next page begins; None on an empty page."""

    objects: list[Listed] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    last: Cursor | None = None
    truncated: bool = False

    def __len__(self) -> int:
        return len(self.objects) + len(self.prefixes)


def list_page(database: Database, query: Query) -> Page:
    page = Page()
    with closing(_entries(database, query)) as entries:
        for entry in entries:
            if len(page) >= query.limit:
                page.truncated = True
                break
            if isinstance(entry, str):
                page.prefixes.append(entry)
                page.last = Cursor(entry, is_prefix=True)
            else:
                page.objects.append(entry)
                page.last = Cursor(entry.key)
    return page


def _entries(database: Database, query: Query) -> Generator[Listed | str]:
    """Objects and common prefixes in order; what lies under a prefix is jumped over and not read."""
    position, inclusive = _start(query)
    while position is not None:
        jump = None
        with closing(_rows(database, query, position, inclusive=inclusive)) as rows:
            for listed in rows:
                end = listed.key.find(query.delimiter, len(query.prefix)) if query.delimiter else -1
                if end >= 0:
                    prefix = listed.key[: end + len(query.delimiter)]
                    yield prefix
                    jump = _successor(prefix)
                    break
                yield listed
        position, inclusive = jump, True


def _start(query: Query) -> tuple[str | None, bool]:
    if query.after.is_prefix:
        return _successor(query.after.text), True
    if query.after.text and query.after.text >= query.prefix:
        return query.after.text, False
    return query.prefix, True


def _rows(database: Database, query: Query, position: str, *, inclusive: bool) -> Generator[Listed]:
    sql = "select key, size, etag, modified_at from objects where bucket = ? and key "
    sql += ">= ?" if inclusive else "> ?"
    parameters: tuple[str, ...] = (query.bucket, position)
    if (end := _successor(query.prefix)) is not None:
        sql += " and key < ?"
        parameters += (end,)
    with database.scan(f"{sql} order by key", parameters) as cursor:
        for row in cursor:
            yield Listed(*row)


def _successor(prefix: str) -> str | None:
    """The least string above every string that starts with `prefix`; None when there is none."""
    while prefix:
        point = ord(prefix[-1]) + 1
        if point <= _LAST_CODE_POINT:
            return prefix[:-1] + chr(_SURROGATES.stop if point in _SURROGATES else point)
        prefix = prefix[:-1]
    return None
