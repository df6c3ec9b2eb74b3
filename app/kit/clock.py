"""Wall-clock time as the API speaks it: RFC 3339, UTC, milliseconds."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """`2026-11-22T09:30:00.123Z`; such strings sort like the moments they name."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_rfc3339(text: str) -> datetime:
    """The inverse of `rfc3339`; raises ValueError."""
    return datetime.fromisoformat(text)
