"""Dates written out as text, read to whole seconds. The forms are a closed list; texts with a month's name go on to dateutil."""

import re
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from dateutil import parser

# The zones that RFC 2822 §4.3 names, in hours from UTC. Other abbreviations mean several zones each.
ZONES = {"Z": 0, "UT": 0, "UTC": 0, "GMT": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_LONGEST = 100
_READABLE = re.compile("[\t-~]*")
_SPACES = str.maketrans({"\N{NO-BREAK SPACE}": " ", "\N{NARROW NO-BREAK SPACE}": " "})

_MONTH = (
    "(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    "|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_NAMED_DAY = "(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*"
_WEEKDAY = rf"(?:{_NAMED_DAY},?\s+)?"
_YEAR, _DAY = r"(?P<year>\d{4})", r"(?P<day>\d\d?)"
_FRACTION = r"(?:[.,]\d+)?"
_CLOCK = rf"(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d){_FRACTION})?(?:\s*(?P<half>[ap])\.?m\.?)?"
# After a number, a zone's name only repeats it: "+0000 (UTC)" in mail, "+0100 CET" as Go writes it, "GMT+0100 (…)" in JavaScript.
_OFFSET = r"(?:UTC|GMT)?(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)?(?:\s+[A-Z]{3,5})?"
_ZONE = rf"(?:\s*(?:(?P<zone>{'|'.join(ZONES)})|{_OFFSET})(?:\s*\([^()]*\))?)?"
_TIME = rf"(?:(?:T|,?\s+(?:at\s+)?){_CLOCK}{_ZONE})?"
_FORMS = tuple(
    re.compile(form, re.ASCII | re.IGNORECASE)
    for form in (
        rf"{_YEAR}(?P<sep>[-/.])(?P<month>\d\d?)(?P=sep){_DAY}{_TIME}",
        rf"{_YEAR}(?P<month>\d\d)(?P<day>\d\d)(?:[T\s]?(?P<hour>\d\d)(?P<minute>\d\d)(?:(?P<second>\d\d){_FRACTION})?{_ZONE})?",
        rf"{_WEEKDAY}{_DAY}[\s-]+{_MONTH}[\s,-]+{_YEAR}{_TIME}",
        rf"{_WEEKDAY}{_MONTH}\s+{_DAY},?\s+{_YEAR}{_TIME}",
        rf"{_WEEKDAY}{_MONTH}\s+{_DAY}\s+{_CLOCK}{_ZONE}\s+{_YEAR}",
        # The only two-digit years that are read: RFC 822's, where the order of the parts is known.
        rf"{_NAMED_DAY},\s+{_DAY}[\s-]{_MONTH}[\s-](?P<year>\d\d)\s+{_CLOCK}{_ZONE}",
    )
)
_ANY_MONTH = re.compile(rf"(?<![a-z]){_MONTH}(?![a-z])", re.IGNORECASE)
# dateutil would take the 1 of 1.5 for a day.
_DECIMAL = re.compile(r"(?<![:\d])\d+\.\d")
# dateutil takes GMT+1 for what POSIX means by it, an hour behind; everybody else means an hour ahead.
_BEFORE_DATEUTIL = re.compile(r"(?:UTC|GMT)(?=[+-]\d)|\([^()]*\)\s*$", re.IGNORECASE)
# They differ in year, month and, by over a week, in the day, so that no part and no weekday can come from them unseen.
_DEFAULTS = (datetime(2000, 1, 1), datetime(2003, 2, 15))


def plain(text: str) -> str:
    """The text that is read: up to a NUL, as SQLite's functions see it; '' where it cannot be a date at all."""
    text = text.partition("\0")[0]
    if len(text) > _LONGEST:
        return ""
    text = text if text.isascii() else text.translate(_SPACES)
    return text.strip() if _READABLE.fullmatch(text) else ""


def read(text: str, naive: tzinfo) -> datetime | None:
    """The moment that a plain text names, in the zone it was written with, else in `naive`; None for what is no date.

    Raises ValueError for days, hours or offsets that do not exist, and OverflowError near the ends of the calendar.
    """
    for form in _FORMS:
        if match := form.fullmatch(text):
            return _moment(match.groupdict(), naive)
    moment = _worded(text) if _ANY_MONTH.search(text) and not _DECIMAL.search(text) else None
    return moment.replace(tzinfo=moment.tzinfo or naive) if moment else None


def _moment(part: dict[str, str | None], naive: tzinfo) -> datetime:
    name = part.get("name")
    month = MONTHS.index(name[:3].lower()) + 1 if name else int(part["month"] or 0)
    minute, second = int(part["minute"] or 0), int(part["second"] or 0)
    return datetime(_year(part["year"] or ""), month, int(part["day"] or 0), _hour(part), minute, second, tzinfo=_zone(part) or naive)


def _year(digits: str) -> int:
    """The year; one of two digits is from 1950 to 2049 (RFC 2822 §4.3)."""
    year = int(digits)
    return year if len(digits) == 4 else year + (2000 if year < 50 else 1900)


def _hour(part: dict[str, str | None]) -> int:
    hour, half = int(part["hour"] or 0), part.get("half")
    if not half:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError("a clock with a.m. and p.m. has the hours 1 to 12")
    return hour % 12 + (12 if half.lower() == "p" else 0)


def _zone(part: dict[str, str | None]) -> tzinfo | None:
    if name := part["zone"]:
        return timezone(timedelta(hours=ZONES[name.upper()]))
    if not part["sign"]:
        return None
    minutes = int(part["minutes"] or 0)
    if minutes > 59:
        raise ValueError("no offset has over 59 minutes")
    return timezone((1 if part["sign"] == "+" else -1) * timedelta(hours=int(part["hours"] or 0), minutes=minutes))


@lru_cache(maxsize=1 << 14)
def _worded(text: str) -> datetime | None:
    """What dateutil reads, without any part that is not in the text. Cached because it takes a tenth of a millisecond."""
    text = _BEFORE_DATEUTIL.sub("", text)
    try:
        one, other = (parser.parse(text, default=default, tzinfos=_named) for default in _DEFAULTS)
    except Exception:  # it raises more than ValueError, and an error in a function that SQL calls ends the query
        return None
    # A year of two digits would get its century from today's date.
    return one.replace(microsecond=0) if one == other and f"{one.year:04}" in text else None


def _named(name: str | None, seconds: int | None) -> tzinfo | None:
    """The zone that dateutil found. It must not guess one from where the server stands."""
    if name and seconds:
        raise ValueError("dateutil turns the sign of such offsets")
    if name:
        seconds = ZONES.get(name.upper(), -24) * 3600  # timezone refuses a whole day
    return None if seconds is None else timezone(timedelta(seconds=seconds))
