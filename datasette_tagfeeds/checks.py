"""What a setting may be. A check returns the value it accepts, or raises ValueError saying what is wrong."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from difflib import get_close_matches
from typing import Any, TypeVar
from urllib.parse import urlsplit

from .dates import zone
from .model import Person
from .values import address, is_language, scrub

Value = TypeVar("Value")


class Problems:
    """Collects what is wrong, each with the full path of its key, so that one message can name all of it."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, path: str, message: str) -> None:
        """Note a problem of the setting at `path`."""
        self.found.append(f"{path}: {message}")

    def check(self, path: str, check: Callable[[Any], Value], value: object) -> Value | None:
        """What the check makes of a value; None, and a problem noted, where it refuses."""
        try:
            return check(value)
        except ValueError as error:
            self.add(path, str(error))
            return None

    def unknown(self, path: str, given: Iterable[object], known: Iterable[str]) -> None:
        """Note each key that no setting has."""
        known = sorted(known)
        for key in given:
            if key not in known:
                self.add(f"{path}.{key}", f"unknown setting{nearest(key, known)}")


def nearest(name: object, known: Iterable[str]) -> str:
    """'; did you mean …?', or all the names where they are few and none is near."""
    names = list(known)
    if close := get_close_matches(str(name), names, 1, 0.5):
        return f"; did you mean {close[0]!r}?"
    return f"; there is {', '.join(map(repr, names))}" if 0 < len(names) <= 12 else ""


def _kind(value: object) -> str:
    names = {dict: "a map", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number", type(None): "nothing"}
    return names.get(type(value), type(value).__name__)


def text(value: object) -> str:
    """Text that is not blank."""
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {_kind(value)}")
    if not value.strip():
        raise ValueError("must not be blank")
    if scrub(value) != value:
        raise ValueError(f"holds a character that no document may hold: {value!r}")
    return value


def flag(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {_kind(value)}")
    return value


def mapping(value: object) -> Mapping[str, Any]:
    """A map whose keys are text."""
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a map, not {_kind(value)}")
    if odd := [key for key in value if not isinstance(key, str)]:
        raise ValueError(f"its keys must be text; {odd[0]!r} is not (put it in quotes)")
    return value


def tags(value: object) -> frozenset[str]:
    """A list of tags; numbers are the texts that they are written as."""
    if not isinstance(value, list) or not all(isinstance(one, (str, int)) and not isinstance(one, bool) for one in value):
        raise ValueError("must be a list of tags")
    return frozenset(str(one) for one in value)


def aliases(value: object) -> Mapping[str, str]:
    """A map of old names to new ones, or the name of a table."""
    given = mapping(value)
    if odd := [old for old, new in given.items() if not isinstance(new, (str, int)) or isinstance(new, bool)]:
        raise ValueError(f"the new name of {odd[0]!r} must be text")
    return {old: str(new) for old, new in given.items()}


def page_size(value: object) -> int:
    """A whole number from 1 to 100."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 100:
        raise ValueError("must be a whole number from 1 to 100")
    return value


def byte_count(value: object) -> int:
    """A whole number of bytes, from 10,000 to 16 MiB."""
    if not isinstance(value, int) or isinstance(value, bool) or not 10_000 <= value <= 16 * 1024 * 1024:
        raise ValueError("must be a whole number of bytes, from 10000 to 16777216")
    return value


def cache_bytes(value: object) -> int:
    """A whole number of bytes, 0 for none."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("must be a whole number of bytes; 0 keeps nothing")
    return value


def seconds(value: object) -> int:
    """A whole number of seconds, at most a week."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 7 * 86400:
        raise ValueError("must be a whole number of seconds, from 0 to 604800")
    return value


def pause(value: object) -> int:
    """A whole number of seconds, from one to a day."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 86400:
        raise ValueError("must be a whole number of seconds, from 1 to 86400")
    return value


def days(value: object) -> int:
    """A whole number of days, at most ten years."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 3650:
        raise ValueError("must be a whole number of days, from 0 to 3650")
    return value


def day(value: object) -> str:
    """A day, as text: YAML makes of one without quotes what JSON cannot hold."""
    try:
        if isinstance(value, str) and date.fromisoformat(value).isoformat() == value:
            return value
    except ValueError:
        pass
    raise ValueError(f"must be a day in quotes, such as '2026-11-01', not {value!r}")


def revoked(value: object) -> tuple[str | Mapping[str, Any], ...]:
    """A list of ids of tokens, and of maps that tell actors as `allow` does."""
    if not isinstance(value, list):
        raise ValueError(f"must be a list, not {_kind(value)}")
    for one in value:
        is_id = isinstance(one, str) and re.fullmatch(r"t[0-9a-f]{10}", one)
        if not is_id and not _tells_actors(one):
            raise ValueError(f"must be a list of ids such as 't0123456789', or actors such as {{id: ann}}, and {one!r} is neither")
    return tuple(value)


def _tells_actors(value: object) -> bool:
    """True for a map of members to a value or a list of values, as in `allow`."""
    if not isinstance(value, Mapping) or not value:
        return False
    values = [one for own in value.values() for one in (own if isinstance(own, list) else [own])]
    return all(isinstance(one, str) for one in value) and all(isinstance(one, (str, int)) for one in values)


def one_of(*known: str) -> Callable[[object], str]:
    """The check of a setting that has these values only."""

    def check(value: object) -> str:
        if value not in known:
            raise ValueError(f"must be {' or '.join(map(repr, known))}, not {value!r}")
        return str(value)

    return check


def url(value: object) -> str:
    """An absolute http(s) address."""
    if not (found := address(text(value), "")):
        raise ValueError(f"must be an absolute address such as 'https://example.org/', not {value!r}")
    return found


def base_url(value: object) -> str:
    """An absolute http(s) address without query or fragment; returned with a final slash, so that links join below it."""
    url = text(value).strip()
    accepted = address(url, "")
    if accepted is None or any(char.isspace() for char in url) or urlsplit(accepted).query or urlsplit(accepted).fragment:
        raise ValueError(f"must be an absolute address such as 'https://example.org', not {url!r}")
    return accepted.rstrip("/") + "/"


def authority(value: object) -> str:
    """The tagging entity of a tag URI: a host name or e-mail address, a comma, a date (RFC 4151 §2.1)."""
    host = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
    if not re.fullmatch(rf"(?:[A-Za-z0-9._-]+@)?{host},\d{{4}}(?:-\d\d(?:-\d\d)?)?", text(value)):
        raise ValueError(f"must be a host name, a comma and a date, such as 'example.org,2026', not {value!r}")
    return text(value)


def path(value: object) -> str:
    """Where the pages live: a path such as /tags."""
    if not re.fullmatch(r"(/[A-Za-z0-9_.-]*[A-Za-z0-9_-])+", text(value)):
        raise ValueError(f"must be a path such as '/tags', with letters, digits, - _ and . only, not {value!r}")
    if value != "/-/tags" and str(value).split("/")[1] == "-":
        raise ValueError(f"{value!r} is among Datasette's own pages; of those below /-, only /-/tags is free")
    return text(value)


def language(value: object) -> str:
    """A language tag such as en or pt-BR (RFC 5646 §2.1, its shape)."""
    if not is_language(text(value)):
        raise ValueError(f"must be a language tag such as 'en' or 'pt-BR', not {value!r}")
    return text(value)


def timezone(value: object) -> str:
    """A time zone's name."""
    name = text(value)
    try:
        zone(name)
    except ValueError as error:
        raise ValueError(f"{error}; use 'UTC', an offset such as '+02:00' or a name such as 'Europe/Berlin'") from error
    return name


def author(value: object) -> Person:
    """A name, or a map of name, email and uri."""
    if isinstance(value, str):
        return Person(text(value))
    given = mapping(value)
    problems = Problems()
    problems.unknown("author", given, ("name", "email", "uri"))
    parts = {key: problems.check(f"author.{key}", text, given[key]) for key in ("name", "email", "uri") if given.get(key) is not None}
    if problems.found or not parts.get("name"):
        raise ValueError("; ".join(problems.found) or "must have a name")
    email, uri = parts.get("email"), parts.get("uri")
    if email and not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise ValueError(f"email {email!r} is no e-mail address")
    if uri and not address(uri, ""):
        raise ValueError(f"uri must be an absolute address, not {uri!r}")
    return Person(str(parts["name"]), email, address(uri, "") if uri else None)
