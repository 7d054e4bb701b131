"""The parameters of pages and feeds, the same on both: `type year month q size next`. All others are ignored."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode

from ..checks import nearest
from ..errors import BadRequest
from ..expression import Expression
from ..model import Item, Source
from ..relations import Selection
from . import paging

LONGEST_SEARCH = 200


class Arguments(Protocol):
    """The parsed query string of a request."""

    def getlist(self, name: str) -> list[str]:
        """All values of a parameter."""


@dataclass(frozen=True)
class Parameters:
    """What narrows a page (`types`, `year`, `month`, `q`), what divides it (`size`, `after`), and the token that it is asked for with."""

    types: tuple[str, ...]
    year: str | None
    month: str | None
    q: str | None
    size: int
    given_size: str | None
    after: Item | None
    token: str | None = None

    def selection(self, expression: Expression | None, sources: Iterable[Source]) -> Selection:
        """What is asked of the store. Raises BadRequest where no source in question can be searched."""
        types = frozenset(self.types) or None
        since, until = self._span()
        if self.q is None:
            return Selection(expression, types, since, until)
        searchable = frozenset(source.name for source in sources if source.search and (types is None or source.name in types))
        if not searchable:
            raise BadRequest("The parameter “q” needs a table with a full-text index (FTS), and there is none here.")
        return Selection(expression, searchable, since, until, " ".join(f'"{word}"' for word in self.q.split()))

    def _span(self) -> tuple[str, str]:
        if not self.year:
            return "", ""
        if not self.month:
            return self.year, f"{int(self.year) + 1:04}"
        month = int(self.month)
        return f"{self.year}-{month:02}", f"{self.year}-{month + 1:02}" if month < 12 else f"{int(self.year) + 1:04}"

    def filters(self) -> str:
        """What narrows the page, as a query string in one order; '' for nothing."""
        return urlencode(self.pairs())

    def pairs(self) -> list[tuple[str, str]]:
        """What narrows the page, by name and value."""
        pairs = [*(("type", one) for one in self.types), ("year", self.year), ("month", self.month), ("q", self.q)]
        return [(name, value) for name, value in pairs if value is not None]

    def query(self, after: Item | None) -> str:
        """The query string, with its ?, of the first page (None) or of the one that begins after an item."""
        pairs = {"size": self.given_size, "next": paging.write(after) if after else None, "token": self.token}
        rest = urlencode({name: value for name, value in pairs.items() if value is not None})
        together = "&".join(part for part in (self.filters(), rest) if part)
        return f"?{together}" if together else ""

    def in_words(self, labels: dict[str, str]) -> str:
        """What narrows the page, for titles: Posts, 2008-03, “words”; '' for nothing."""
        when = "-".join(part for part in (self.year, self.month) if part)
        return ", ".join([*(labels[one] for one in self.types), *([when] if when else []), *([f"“{self.q}”"] if self.q else [])])


def read(arguments: Arguments, sources: Iterable[Source], default_size: int, of_items: bool) -> Parameters:
    """The parameters of a request; `next` is read where its pages are of items. Raises BadRequest with a sentence that names the one that is wrong."""
    size, after = single(arguments, "size"), single(arguments, "next") if of_items else None
    year, month = _year(single(arguments, "year")), _month(single(arguments, "month"))
    if month and not year:
        raise BadRequest("The parameter “month” needs “year” beside it.")
    return Parameters(
        _types(arguments.getlist("type"), [source.name for source in sources]),
        year,
        month,
        _search(single(arguments, "q")),
        paging.size(size, default_size),
        size,
        paging.read(after),
    )


def single(arguments: Arguments, name: str) -> str | None:
    """A parameter's one value; an empty one, as forms send it, counts as absent. Raises BadRequest for several."""
    values = list(dict.fromkeys(value for value in arguments.getlist(name) if value))
    if len(values) > 1:
        raise BadRequest(f"The parameter “{name}” stands there more than once.")
    return values[0] if values else None


def _types(given: list[str], known: list[str]) -> tuple[str, ...]:
    wanted = sorted({one for one in given if one})
    for one in wanted:
        if one not in known:
            raise BadRequest(f"There is no type “{one}”{nearest(one, known)}.")
    return tuple(wanted)


def _year(given: str | None) -> str | None:
    if given is not None and not re.fullmatch(r"[0-9]{4}", given):
        raise BadRequest("The parameter “year” must be a year of four digits.")
    return given


def _month(given: str | None) -> str | None:
    if given is not None and not re.fullmatch(r"0?[1-9]|1[0-2]", given):
        raise BadRequest("The parameter “month” must be a number from 1 to 12.")
    return f"{int(given):02}" if given else None


def _search(given: str | None) -> str | None:
    if given is not None and (len(given) > LONGEST_SEARCH or not given.isprintable()):
        raise BadRequest(f"The parameter “q” must be at most {LONGEST_SEARCH} printable characters.")
    words = " ".join((given or "").replace('"', " ").split())
    if given and not words:
        raise BadRequest("The parameter “q” must hold a word.")
    return words or None
