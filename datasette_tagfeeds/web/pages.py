"""The HTML pages, by templates that extend Datasette's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from datasette.utils import to_css_class
from datasette.utils.asgi import Response
from markupsafe import Markup, escape

from .. import content
from ..expression import Expression, Tag, in_words
from ..expression import tags as tags_of
from ..formats import drawing, html
from ..health import Health
from ..model import Item, TagCount, Tally
from ..relations import Selection
from . import documents, explain, keys, tokens
from .answers import Document, respond
from .around import around, kinds, looks
from .feeds import FORMATS
from .index import SORTS, Wanted, chosen, wanted
from .urls import PAGE
from .visit import Visit

HEALTH = "/-/tagfeeds"
# Tags on a page of the index: as many as keep it light.
ROWS = 250
# The same in a file, which has no further pages.
EXPORTED_ROWS = 5000
LABELS = {"atom": "Atom", "rss": "RSS", "json": "JSON Feed"}


async def index(here: Visit) -> Response:
    """Every tag with its count."""
    return await _remembered(here, partial(_index, here))


async def tag(here: Visit, expression: Expression) -> Response:
    """The items of an expression; with ?explain=1, and how they were found."""
    if here.request.args.get("explain") == "1":
        return respond(here.request, await explain.page(here, partial(_tag, here, expression)))
    return await _remembered(here, partial(_tag, here, expression))


async def _remembered(here: Visit, make: Callable[[], Awaitable[Document]]) -> Response:
    """A page as everyone sees it who is not signed in, remembered; made anew for all others."""
    about = {one.database for one in here.settings.described_in} - {source.database for source in here.store.sources.values()}
    if not documents.is_anyones(here.request) or about or not here.datasette.cache_headers:
        return respond(here.request, await make())
    return await documents.remembered(here, _key(here), make)


def _key(here: Visit) -> Hashable:
    """What the page depends on: also on the tables that describe tags, which an actor may see or not."""
    return documents.key(here, "page", here.request.path, here.request.query_string, here.request.actor is None, here.tables)


async def _index(here: Visit) -> Document:
    every, asked = await here.store.tag_list(), wanted(here)
    counts = chosen(here, every, asked)
    rows = EXPORTED_ROWS if here.exported else ROWS
    shown = counts[asked.start : asked.start + rows]
    following = asked.start + rows if asked.start + rows < len(counts) and not here.exported else 0
    tallies = [tally for tally in every.totals if not here.parameters.types or tally.source in here.parameters.types]
    own = here.addresses.local()
    by_year = await here.store.years(shown)
    years = [int(year) for by in by_year.values() for year in by]
    span = (max(min(years), max(years) - 24), max(years)) if years else None
    context = {
        "tags": [_counted(here, one, by_year[one.tag], max(one.items for one in shown), span) for one in shown],
        "span": span,
        "letters": _letters(own, asked, counts),
        "sorts": [{"name": name, "url": own + asked.sorted_by(name), "current": name == asked.sort} for name in SORTS],
        "least": asked.least,
        "type": here.parameters.types[0] if here.parameters.types else "",
        "all_types": [(name, source.label) for name, source in here.store.sources.items()],
        "looks": looks(here),
        "opml_url": f"{own}.opml",
        "health_url": here.datasette.urls.path(HEALTH),
        "total": len(counts),
        "start": asked.start,
        "q": asked.q,
        "sort": asked.sort,
        "next_url": own + asked.query(following) if following else None,
        **_feeds(here, None, [tally.source for tally in tallies]),
        "page_url": here.addresses.absolute(own) + asked.query(asked.start),
        "feed_title": here.title(None),
        "follow": not here.request.query_string,
        **_about(here, tallies),
    }
    return await _html(here, ["tagfeeds-index.html"], context, keys.of_items(here, None))


async def _tag(here: Visit, expression: Expression, explained: Callable[[], Awaitable[object]] | None = None) -> Document:
    selection = here.selection(expression)
    entries, last = await here.page(selection, feed=False)
    tallies = await here.store.tallies(selection)
    own = here.addresses.local(expression)
    single = expression.name if isinstance(expression, Tag) else None
    description = (await here.descriptions([single])).get(single, "") if single else ""
    carried = await here.store.carried(list(tags_of(expression)))
    context = {
        "tag": single,
        "words": in_words(expression),
        "heading": Markup(in_words(expression, lambda name: f"<b>{escape(name)}</b>")),
        "description": Markup(content.render(description, "markdown", here.addresses.base, trusted=False) or ""),
        "years": list(html.years(entries)),
        **await around(here, expression, selection, sum(tally.items for tally in tallies)),
        **await _pager(here, selection, own, last),
        **(feeds := _feeds(here, expression, {source for sources in carried.values() for source in sources})),
        "private_feed": _private_feed(here, expression) if feeds["feeds"] else None,
        "feed_title": here.title(expression),
        "narrowed": here.narrowed(),
        "follow": single is not None and (here.exported or not here.request.query_string),
        **_about(here, tallies),
        "explained": await explained() if explained else None,
    }
    names = [f"tagfeeds-tag-{to_css_class(single)}.html"] if single else []
    return await _html(here, [*names, "tagfeeds-tag.html"], context, keys.of_items(here, expression))


async def _pager(here: Visit, selection: Selection, own: str, last: Item | None) -> dict[str, object]:
    """Where the pages before and after this one are. Files have numbers, and the header Link says what to ask for to make the next one."""
    query, after = here.parameters.query, here.parameters.after
    if here.exported:
        number = here.exported.page
        numbered = [own, *(f"{own}/{one}" for one in range(2, number + 2))]
        return {
            "next_url": numbered[number] if last else None,
            "next_query": query(last) if last else None,
            "previous_url": numbered[number - 2] if number > 1 else None,
            "first_url": own if number > 1 else None,
            "page_url": here.addresses.absolute(numbered[number - 1]),
        }
    return {
        "next_url": own + query(last) if last else None,
        "previous_url": own + query(await here.previous(selection, feed=False)) if after else None,
        "first_url": own + query(None) if after else None,
        "page_url": here.addresses.absolute(own) + query(after),
    }


async def health(here: Visit, report: Health) -> Response:
    """What was found, what is wrong with it, and what to do about it."""
    context = {
        "health": report,
        "notices": report.all_warnings,
        "items": sum(source.items or 0 for source in report.sources),
        "total": len((await here.store.tag_list()).counts),
        "site_title": here.site.title,
        "language": here.settings.language,
        "index_url": here.addresses.local(),
        "page_url": here.addresses.absolute(str(here.datasette.urls.path(HEALTH))),
        "json_url": here.datasette.urls.path(f"{HEALTH}.json"),
        "follow": False,
    }
    return respond(here.request, await _html(here, ["tagfeeds-health.html"], context))


def _feeds(here: Visit, expression: Expression | None, sources: Iterable[str]) -> dict[str, object]:
    """The feeds of a page, narrowed as it is, Atom first; none where no source has dates to order them by."""
    if not here.has_dates(sources):
        return {"feeds": [], "feed_url": None}
    absolute, local, query = here.addresses.absolute, here.addresses.local, here.parameters.query(None)
    feeds = [
        {"url": absolute(local(expression, name)) + query, "type": format.media_type, "label": LABELS[name]}
        for name, format in FORMATS.items()
    ]
    return {"feeds": feeds, "feed_url": feeds[0]["url"]}


def _private_feed(here: Visit, expression: Expression) -> dict[str, str] | None:
    """The address of a page's feed for the reader of its actor, how long it is good, and the id by which it is revoked."""
    held = tokens.offered(here, expression)
    if held is None:
        return None
    url = here.addresses.absolute(here.addresses.local(expression, "atom")) + replace(here.parameters, token=held.written).query(None)
    return {"url": url, "until": html.date_in_words(held.token.until), "id": held.token.id}


async def _html(here: Visit, templates: list[str], context: dict[str, object], purged_by: Iterable[str] = (keys.EVERY,)) -> Document:
    page = await here.datasette.render_template(templates, {**context, "exported": here.exported}, request=here.request)
    headers = {} if context.get("follow", True) else {"X-Robots-Tag": "noindex, nofollow"}
    if context.get("next_query"):
        headers["Link"] = f'<{context["next_query"]}>; rel="next"'
    return documents.document(here, _key(here), page.encode(), PAGE, headers, purged_by)


def _about(here: Visit, tallies: Iterable[Tally]) -> dict[str, object]:
    """What every page says of its items: how many, of which kinds, since when."""
    tallies = list(tallies)
    first = min((tally.first for tally in tallies if tally.first), default="")
    latest = max((tally.last for tally in tallies), default="")
    return {
        "site_title": here.site.title,
        "language": here.settings.language,
        "index_url": here.addresses.local(),
        "count": sum(tally.items for tally in tallies),
        "first": html.date_in_words(first),
        "latest": html.date_in_words(latest),
        "kinds": kinds(here, tallies),
        "private": here.private,
    }


def _counted(here: Visit, one: TagCount, years: Mapping[str, int], largest: int, span: tuple[int, int] | None) -> dict[str, object]:
    return {
        "name": one.tag,
        "url": here.addresses.local(Tag(one.tag)),
        "count": one.items,
        "parts": drawing.segments(one.sources, list(here.store.sources), largest),
        "spark": drawing.spark(years, *span) if span else "",
        "latest": html.date_in_words(one.latest, short=True),
    }


def _letters(own: str, asked: Wanted, counts: list[TagCount]) -> list[dict[str, str]]:
    """Where each initial begins, where tags are sorted by name."""
    if asked.sort != "name" or asked.q:
        return []
    first: dict[str, int] = {}
    for place, one in enumerate(counts):
        initial = one.tag[0].upper()
        first.setdefault("0–9" if initial.isdigit() else initial if initial.isalpha() else "#", place)
    return [{"name": name, "url": own + asked.query(place)} for name, place in first.items()]
