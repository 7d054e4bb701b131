"""The index of tags for programs and readers: JSON, also for autocomplete, and OPML."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from datasette.utils.asgi import Response

from ..errors import BadRequest
from ..expression import Tag
from ..formats import opml
from ..memory import TagList
from ..model import Outline, TagCount
from ..values import one_line, scrub
from . import documents, keys
from .answers import respond
from .visit import Visit

SIZE = 500
SORTS = ("count", "name", "recent")
OUTLINES = 500
OUTLINE_ITEMS = 5


@dataclass(frozen=True)
class Wanted:
    """What of the index is asked for."""

    q: str
    sort: str
    least: int
    start: int
    given: tuple[tuple[str, str], ...]

    def sorted_by(self, sort: str) -> str:
        """The query string of the first page in another order."""
        return f"?{urlencode([*(pair for pair in self.given if pair[0] != 'sort'), ('sort', sort)])}"

    def query(self, start: int) -> str:
        """The query string of the page that begins at a tag."""
        pairs = [*self.given, *([("next", str(start))] if start else [])]
        return f"?{urlencode(pairs)}" if pairs else ""


def wanted(here: Visit, least: int = 1) -> Wanted:
    """The parameters `q sort min next`; `type` is everybody's. Raises BadRequest for the one that is wrong."""
    args = here.request.args
    sort = args.get("sort") or "count"
    if sort not in SORTS:
        raise BadRequest("The parameter “sort” must be count, name or recent.")
    types = [("type", one) for one in here.parameters.types]
    given = [(name, args.get(name)) for name in ("q", "sort", "min") if args.get(name)]
    return Wanted(args.get("q") or "", sort, _number("min", args.get("min"), least), _number("next", args.get("next"), 0), (*types, *given))


def _number(name: str, given: str | None, default: int) -> int:
    if not given:
        return default
    if not given.isascii() or not given.isdecimal() or len(given) > 9:
        raise BadRequest(
            f"The parameter “{name}” must be a whole number."
            if name == "min"
            else f"The parameter “{name}” is not one that this site gives."
        )
    return int(given)


def chosen(here: Visit, every: TagList, asked: Wanted) -> list[TagCount]:
    """The tags that are asked for, in their order; hidden ones in no list."""
    types = set(here.parameters.types) or None
    counted = (_of_types(one, types) for one in every.counts if one.tag not in here.settings.hidden)
    found = [one for one in counted if one.items >= max(1, asked.least)]
    if asked.q:
        return _matching(found, asked.q)
    if asked.sort == "name":
        return sorted(found, key=lambda one: (one.tag.casefold(), one.tag))
    if asked.sort == "recent":
        return sorted(sorted(found, key=lambda one: one.tag), key=lambda one: one.latest, reverse=True)
    return sorted(found, key=lambda one: (-one.items, one.tag))


def _of_types(one: TagCount, types: set[str] | None) -> TagCount:
    if types is None:
        return one
    sources = {name: count for name, count in one.sources.items() if name in types}
    return TagCount(one.tag, sum(sources.values()), one.latest, sources, one.years)


def _matching(found: Iterable[TagCount], q: str) -> list[TagCount]:
    """The tags that hold the text: that very tag first, then what begins with it, then the rest; the most used first in each."""
    folded = q.casefold()
    held = [(one, one.tag.casefold()) for one in found]
    ranked = [
        (0 if one.tag == q else 1 if name == folded else 2 if name.startswith(folded) else 3, one) for one, name in held if folded in name
    ]
    return [one for _, one in sorted(ranked, key=lambda pair: (pair[0], -pair[1].items, pair[1].tag))]


async def as_json(here: Visit) -> Response:
    """/tags.json: tags with counts by type, dates, descriptions and addresses; with `q` for autocomplete."""
    asked = wanted(here)
    every = await here.store.tag_list()
    found = chosen(here, every, asked)
    size = len(found) if here.exported else SIZE
    shown = found[asked.start : asked.start + size]
    following = asked.start + size if asked.start + size < len(found) else 0
    about = await here.descriptions([one.tag for one in shown])
    absolute = here.addresses.absolute
    document = {
        "tags": [_tag(here, one, about.get(one.tag)) for one in shown],
        "count": len(found),
        "next_url": absolute(f"{here.addresses.local()}.json") + asked.query(following) if following else None,
    }
    return send(here, json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"), "application/json", {})


def _tag(here: Visit, one: TagCount, description: str | None) -> dict[str, object]:
    absolute, local = here.addresses.absolute, here.addresses.local
    return {
        "tag": one.tag,
        "label": scrub(one.tag).strip(),
        "count": one.items,
        "types": dict(sorted(one.sources.items())),
        "latest": one.latest or None,
        "description": description or None,
        "url": absolute(local(Tag(one.tag))),
        "feed_url": absolute(local(Tag(one.tag), "atom")) if here.has_dates(one.sources) else None,
    }


async def as_opml(here: Visit) -> Response:
    """/tags.opml: the feeds of the most used tags, to subscribe to at once."""
    asked = wanted(here, least=OUTLINE_ITEMS)
    found = [one for one in chosen(here, await here.store.tag_list(), asked) if here.has_dates(one.sources)][:OUTLINES]
    outlines = list(_outlines(here, found)) or [_everything(here)]
    owner = here.settings.author.name if here.settings.author else None
    return send(here, opml.render(here.title(None), owner, outlines), opml.MEDIA_TYPE, {"X-Content-Type-Options": "nosniff"})


def _outlines(here: Visit, found: Sequence[TagCount]) -> Iterable[Outline]:
    absolute, local = here.addresses.absolute, here.addresses.local
    for one in found:
        text = one_line(f"{here.site.title}: {one.tag}")
        yield Outline(text, absolute(local(Tag(one.tag), "atom")), absolute(local(Tag(one.tag))))


def _everything(here: Visit) -> Outline:
    """OPML must have an outline: where no tag has enough items, that of everything."""
    absolute, local = here.addresses.absolute, here.addresses.local
    return Outline(here.title(None), absolute(local(None, "atom")), absolute(local()))


def send(here: Visit, body: bytes, media_type: str, headers: dict[str, str]) -> Response:
    """The answer that a document of the index is."""
    name = documents.key(here, here.request.path, here.request.query_string, here.request.actor is None)
    return respond(here.request, documents.document(here, name, body, media_type, headers, keys.of_items(here, None)))
