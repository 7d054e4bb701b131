"""Dates as people store them, as instants. One rule, read twice: in Python, and by SQLite to order rows.

`docs/dates.md` lists the forms. Moments are cut to whole seconds.
"""

import math
import re
import sqlite3
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from . import date_texts

FUNCTION = "tagfeeds_utc"
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*(?:e[+-]?\d+)?)?", re.ASCII | re.IGNORECASE)

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
# Smaller numbers are years, counters and booleans, not moments on the first day of 1970.
_SMALLEST = 100_000
# 2201-01-01, from where on numbers are no dates.
_END = 7_289_654_400
# What numbers count, in parts of a second, by how large they are at most (exclusive).
_UNITS = ((10**11, 1), (10**14, 10**3), (10**17, 10**6), (math.inf, 10**9))
# Julian days from year 1; as Unix seconds they would all be in January 1970. The second is 2201-01-01.
_JULIAN, _JULIAN_END, _JULIAN_LIMIT = 1_721_425.5, 2_524_958.5, 2_600_000
_JULIAN_EPOCH_MS = 210_866_760_000_000
# 20140319 and 20140319120037. As Unix time, the first would be in August 1970, the second, in milliseconds, after 2500.
_COMPACT = ((19000101, 21001231), (19000101000000, 21001231235959))
_COMPACT_DAY = re.compile(r"\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{6})?")


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
    """The instant a stored value names, aware, with the offset it was written with; numbers are in UTC.

    A value without an offset is in the zone `naive`. None for what is no date: also days that no month has, and year 0.
    """
    try:
        moment = _read(value, naive)
        return moment if moment and moment.astimezone(timezone.utc) else None
    except (ValueError, OverflowError):
        return None


def _read(value: object, naive: tzinfo) -> datetime | None:
    if isinstance(value, str):
        text = date_texts.plain(value)
        if not _NUMBER.fullmatch(text):
            return date_texts.read(text, naive)
        value = int(text) if text.lstrip("+-").isdigit() else float(text)
    return _numbered(value, naive) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _numbered(number: int | float, naive: tzinfo) -> datetime | None:
    whole = math.floor(number)
    if number == whole and any(low <= whole <= high for low, high in _COMPACT) and _COMPACT_DAY.fullmatch(str(whole)):
        return date_texts.read(str(whole), naive)
    if abs(number) < _SMALLEST:
        return None
    if _JULIAN <= number < _JULIAN_LIMIT:
        # To milliseconds and cut, in floats, as SQLite does (computeJD in its date.c).
        seconds = (int(number * 86_400_000.0 + 0.5) - _JULIAN_EPOCH_MS) // 1000
    else:
        seconds = whole // next(unit for bound, unit in _UNITS if abs(number) < bound)
    return _EPOCH + timedelta(seconds=seconds) if seconds < _END else None


def looks_like_dates(values: Iterable[object]) -> float:
    """The share, 0 to 1, of the values that are dates; NULL and blank text do not count. 0 where no value does."""
    told = [value for value in values if not (value is None or (isinstance(value, str) and not value.strip()))]
    return sum(parse(value, timezone.utc) is not None for value in told) / len(told) if told else 0.0


def seconds(written: str) -> int:
    """What `utc_text` has written, in Unix seconds."""
    return int(datetime.fromisoformat(written.replace("Z", "+00:00")).timestamp())


def utc_text(moment: datetime) -> str:
    """The instant as documents and SQL hold it: UTC, whole seconds, 20 characters (RFC 3339 §5.6)."""
    return moment.astimezone(timezone.utc).isoformat(timespec="seconds")[:19] + "Z"


def quick_forms(values: Iterable[object]) -> frozenset[str]:
    """The forms of stored dates that SQLite can read itself and that occur among the values: what `normalised_sql` need try."""
    return frozenset(form for value in values if (form := _form(value)))


def _form(value: object) -> str | None:
    if isinstance(value, str):
        return next((form for form, pattern in _TEXT_FORMS if pattern.match(value)), None)
    if not isinstance(value, (int, float)) or not abs(value) >= _SMALLEST:
        return None
    if _JULIAN <= value < _JULIAN_END:
        return "julian"
    return next((f"unix{unit}" for bound, unit in _UNITS if abs(value) < bound), None)


_TEXT_FORMS = (
    ("fraction", re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.", re.ASCII)),
    ("iso", re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", re.ASCII)),
    ("day", re.compile(r"\d{4}-\d\d-\d\d$", re.ASCII)),
    ("digits", re.compile(r"\d+$", re.ASCII)),
)
NUMBER_FORMS = ("julian", *(f"unix{unit}" for _, unit in _UNITS))
ALL_FORMS = frozenset([*(form for form, _ in _TEXT_FORMS), *NUMBER_FORMS])


def normalised_sql(column: str, naive: str, forms: frozenset[str] = ALL_FORMS) -> str:
    """SQL for the instant in a column, as `utc_text`; '' where it holds none.

    SQLite's own strftime answers for the given forms, which make it quick; `parse` for all others, so that the answer does not
    depend on them. strftime is shown no value that one of its versions might read in another way than `parse`.
    """
    utc = zone(naive) is timezone.utc
    number = f"coalesce({_quick_number(column, forms)}, {FUNCTION}({column}, '{naive}'))"
    text = f"coalesce({_quick_text(column, utc, forms)}, {_slow_text(column, naive)})"
    return f"coalesce(case typeof({column}) when 'text' then {text} when 'integer' then {number} when 'real' then {number} end, '')"


def quick_sql(column: str, naive: str) -> str:
    """SQL for what `normalised_sql` gives, with SQLite's own functions alone: NULL where that would need `parse`."""
    utc = zone(naive) is timezone.utc
    text = f"case when trim({column}) = '' then '' else {_quick_text(column, utc, ALL_FORMS)} end"
    number = _quick_number(column, ALL_FORMS)
    kinds = f"when 'null' then '' when 'blob' then '' when 'text' then {text} when 'integer' then {number} when 'real' then {number}"
    return f"case typeof({column}) {kinds} end"


def _quick_text(column: str, utc: bool, forms: frozenset[str]) -> str:
    """ISO dates with a day that their month is sure to have (SQLite turns 30 February into 2 March), and whole numbers."""
    day = "[1-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]"
    minutes = f"{day}[T ][0-2][0-9]:[0-5][0-9]"
    real = f"(substr({column}, 9, 2) < '29' or (substr({column}, 9, 2) < '31' and substr({column}, 6, 2) <> '02'))"
    zoned = "" if utc else f" and ({column} glob '*[Zz]' or substr({column}, 17) glob '*[+-]*')"
    fraction = f"substr({column}, 20, 1) = '.'"
    sure = f"{real} and substr({column}, 12, 2) < '24'{zoned}"
    cases = []
    if "fraction" in forms:
        # SQLite's versions round fractions differently: they are cut off.
        cut = f"substr({column}, 1, 19) || ' ' || ltrim(substr({column}, 21), '0123456789')"
        cases.append(f"when {fraction} and {column} glob '{minutes}:[0-5][0-9].[0-9]*' and {sure} then {_padded(cut)}")
    if "iso" in forms:
        cases.append(f"when not {fraction} and {column} glob '{minutes}*' and {sure} then {_padded(column)}")
    if "day" in forms and utc:
        cases.append(f"when {column} glob '{day}' and {real} then {_strftime(column)}")
    if "digits" in forms:
        digits = f"{column} glob '[1-9]*' and {column} not glob '*[^0-9]*' and length({column}) < 19"
        cases.append(f"when {digits} then {_quick_number(f'cast({column} as integer)', ALL_FORMS)}")
    return f"case {' '.join(cases)} end" if cases else "null"


def _padded(text: str) -> str:
    """PostgreSQL's +00 is unknown to strftime before it has its minutes."""
    return f"coalesce({_strftime(text)}, {_strftime(f'({text}) || {chr(39)}:00{chr(39)}')})"


def _slow_text(column: str, naive: str) -> str:
    """`parse`, for text of its length and characters only: bytes that are no UTF-8 would end the query."""
    text = f"replace(replace(substr({column}, 1, 101), '\N{NO-BREAK SPACE}', ' '), '\N{NARROW NO-BREAK SPACE}', ' ')"
    return f"case when {text} not glob '*[^\t-~]*' then {FUNCTION}({text}, '{naive}') end"


def _quick_number(number: str, forms: frozenset[str]) -> str:
    """Julian days, and Unix time after 1970, whose division needs no care. The sign + keeps a view's affinity out of it."""
    cases = [f"when +{number} >= {_JULIAN} and +{number} < {_JULIAN_END} then {_strftime(number)}"] if "julian" in forms else []
    low: float = _COMPACT[0][1] + 1
    for bound, unit in _UNITS:
        if f"unix{unit}" in forms:
            moment = _strftime(f"cast({number} as integer) / {unit}", "'unixepoch'")
            cases.append(f"when +{number} >= {low} and +{number} < {_END * unit} then {moment}")
        low = bound
    return f"case {' '.join(cases)} end" if cases else "null"


def _strftime(*arguments: str) -> str:
    return f"strftime('%Y-%m-%dT%H:%M:%SZ', {', '.join(arguments)})"


def register(connection: sqlite3.Connection) -> None:
    """Give a connection the SQL function that `normalised_sql` falls back on."""

    def tagfeeds_utc(value: object, naive: str) -> str | None:
        moment = parse(value, zone(naive))
        return utc_text(moment) if moment else None

    connection.create_function(FUNCTION, 2, tagfeeds_utc, deterministic=True)
