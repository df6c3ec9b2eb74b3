"""Times as flyctl writes them for people."""

from datetime import UTC, datetime

GO_ZERO = "Jan 1 0001 00:00"
_DAY_S = 86400.0


def ago(text: str) -> str:
    """`just now`, `2m52s ago`, and after a day the date; from RFC 3339."""
    moment = datetime.fromisoformat(text)
    seconds = int((datetime.now(UTC) - moment).total_seconds())
    if seconds < 1:
        return "just now"
    if seconds > _DAY_S:
        return moment.strftime("%b %-d %Y %H:%M")
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{f'{hours}h' if hours else ''}{f'{minutes}m' if hours or minutes else ''}{rest}s ago"


def from_now(text: str) -> str:
    """`2 months from now`: the largest whole unit."""
    days = (datetime.fromisoformat(text) - datetime.now(UTC)).days
    for unit, length in (("year", 365), ("month", 30), ("day", 1)):
        count = days // length
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''} from now"
    return "today"
