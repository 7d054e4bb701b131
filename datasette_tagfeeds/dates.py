"""Dates as people store them, as instants. One rule, read twice: in Python, and by SQLite to order rows."""

import re
import sqlite3
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

FUNCTION = "tagfeeds_utc"
_DATE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:(?:[Tt]|\s+)(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)?)?", re.A
)
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")


@lru_cache(maxsize=64)
def zone(name: str) -> tzinfo:
    """The zone called UTC, +02:00 or Europe/Berlin. Raises ValueError for any other name."""
    if match := _OFFSET.fullmatch(name):
        if int(match[2]) > 23 or int(match[3]) > 59:
            raise ValueError(f"{name!r} is no offset from UTC")
        return timezone((1 if match[1] == "+" else -1) * timedelta(hours=int(match[2]), minutes=int(match[3])))
    if name.upper() in ("UTC", "Z"):
        return timezone.utc
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(f"no time zone is called {name!r}") from error


def parse(value: object, naive: tzinfo) -> datetime | None:
    """The instant a stored value names, aware, with the offset it was written with (RFC 3339 and its relatives).

    A value without an offset is in the zone `naive`. None for what is no date: also days that no month has, and year 0.
    """
    match = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        return None
    try:
        moment = datetime(int(match[1]), int(match[2]), int(match[3]), tzinfo=_offset(match) or naive)
        moment += _clock(match)
        moment.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None
    return moment


def _offset(match: re.Match[str]) -> tzinfo | None:
    if match[8]:
        return timezone.utc
    if not match[9]:
        return None
    minutes = int(match[11] or 0)
    if minutes > 59:
        raise ValueError("no offset has over 59 minutes")
    return timezone((1 if match[9] == "+" else -1) * timedelta(hours=int(match[10]), minutes=minutes))


def _clock(match: re.Match[str]) -> timedelta:
    """The time of day, cut to whole seconds after rounding to milliseconds, as SQLite does."""
    hours, minutes, seconds = int(match[4] or 0), int(match[5] or 0), int(match[6] or 0)
    if hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError("no such time of day")
    milliseconds = int(float(f"0.{match[7] or 0}") * 1000 + 0.5)
    return timedelta(hours=hours, minutes=minutes, seconds=seconds + milliseconds // 1000)


def utc_text(moment: datetime) -> str:
    """The instant as documents and SQL hold it: UTC, whole seconds, 20 characters (RFC 3339 §5.6)."""
    return moment.astimezone(timezone.utc).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def normalised_sql(column: str, naive: str) -> str:
    """SQL for the instant in a column, as `utc_text`; '' where it holds none.

    SQLite's own strftime answers for the common forms; days after the 28th (SQLite turns 30 February into 2 March)
    and dates without offset in other zones than UTC go the slower way through `parse`.
    """
    common = [f"typeof({column}) = 'text'", f"{column} glob '[1-9][0-9][0-9][0-9]-[0-9][0-9]-[0-2][0-9]*'"]
    common.append(f"substr({column}, 9, 2) < '29' and substr({column}, 12, 2) < '24'")
    if zone(naive) is not timezone.utc:
        common.append(f"({column} glob '*[Zz]' or substr({column}, 17) glob '*[+-]*')")
    quick = f"case when {' and '.join(common)} then strftime('%Y-%m-%dT%H:%M:%SZ', {column}) end"
    return f"coalesce({quick}, {FUNCTION}({column}, '{naive}'), '')"


def register(connection: sqlite3.Connection) -> None:
    """Give a connection the SQL function that `normalised_sql` falls back on."""

    def tagfeeds_utc(value: object, naive: str) -> str | None:
        moment = parse(value, zone(naive))
        return utc_text(moment) if moment else None

    connection.create_function(FUNCTION, 2, tagfeeds_utc, deterministic=True)
