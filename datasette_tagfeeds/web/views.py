"""From a request to a response: each view asks, builds and answers, in that order."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING

from datasette.utils import to_css_class
from datasette.utils.asgi import Request, Response
from datasette.views.base import DatasetteError
from markupsafe import Markup

from .. import content, site
from ..config import Settings
from ..errors import AddressTooLong, BadRequest, MethodNotAllowed, NotFound, TagfeedsError, Unavailable
from ..expression import MAX_TAGS, And, Expression, Not, Or, Tag, canonical, decode_tag, in_words, parse, split_format, tags
from ..formats import atom, html
from ..health import Health
from ..model import Category, Feed, Link, Person, TagCount, Tally
from ..values import one_line, scrub
from . import access
from .urls import FEED, PAGE, Addresses
from .visit import Visit, visit

if TYPE_CHECKING:
    from datasette.app import Datasette

View = Callable[[Request, "Datasette"], Awaitable[Response]]
MAX_ADDRESS = 8 * 1024
INDEX_SIZE = 500
HEALTH = "/-/tagfeeds"
NEVER = "1970-01-01T00:00:00Z"
FEED_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; sandbox",
}
PRIVATE_HEADERS = {"Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer"}


def answers(view: View) -> View:
    """Turn our errors into answers: text for feeds, Datasette's own error page for pages."""

    @wraps(view)
    async def answering(request: Request, datasette: Datasette) -> Response:
        try:
            if request.method not in ("GET", "HEAD"):
                raise MethodNotAllowed("Feeds and tag pages can be read, with GET or HEAD, and nothing else.")
            if len(request.scope.get("raw_path") or b"") + len(request.scope["query_string"]) > MAX_ADDRESS:
                raise AddressTooLong("The address is longer than 8 KB.")
            return await view(request, datasette)
        except TagfeedsError as error:
            if split_format(request.path)[1] or isinstance(error, (MethodNotAllowed, Unavailable)):
                headers = {"Allow": "GET, HEAD"} if isinstance(error, MethodNotAllowed) else {}
                headers |= {"Retry-After": "5"} if isinstance(error, Unavailable) else {}
                return Response.text(f"{scrub(str(error))}\n", status=error.status, headers=headers)
            raise DatasetteError(scrub(str(error)), status=error.status) from error

    return answering


@answers
async def index(request: Request, datasette: Datasette) -> Response:
    """/tags: every tag with its count. A form's choice of tags (?t=a&t=b&not=c&op=any) leads to their combination."""
    if chosen := _chosen(request):
        return Response.redirect(Addresses(datasette, request, Settings(), site.path(datasette)).local(chosen), status=302)
    here = await visit(request, datasette)
    every = await here.store.tag_list()
    counts = [one for one in every.counts if one.tag not in here.settings.hidden]
    start = _index_start(request.args.get("next"), len(counts))
    shown = counts[start : start + INDEX_SIZE]
    further = f"{here.addresses.local()}?next={start + INDEX_SIZE}" if start + INDEX_SIZE < len(counts) else None
    tallies = list(every.totals)
    context = {
        "tags": [_counted(one, counts[0].items, here.addresses) for one in shown],
        "total": len(counts),
        "start": start,
        "next_url": further,
        "feed_url": _feed_url(here, None, [tally.source for tally in tallies]),
        "page_url": here.addresses.absolute(here.addresses.local()) + (f"?next={start}" if start else ""),
        "feed_title": here.title(None),
        "narrowed": "",
        **_about(here, tallies),
    }
    return await _html(here, ["tagfeeds-index.html"], context)


def _chosen(request: Request) -> Expression | None:
    """The expression that a form's fields `t`, `not` and `op` (all or any) choose."""
    wanted = [Tag(one) for one in dict.fromkeys(request.args.getlist("t")) if one.strip()]
    unwanted = [Not(Tag(one)) for one in dict.fromkeys(request.args.getlist("not")) if one.strip()]
    if not wanted and not unwanted:
        return None
    if len(wanted) + len(unwanted) > MAX_TAGS:
        raise BadRequest(f"An expression combines at most {MAX_TAGS} tags.")
    if (op := request.args.get("op") or "all") not in ("all", "any"):
        raise BadRequest("The parameter “op” must be all or any.")
    either = Or(tuple(wanted)) if op == "any" and len(wanted) > 1 else None
    parts = (*([either] if either else wanted), *unwanted)
    return canonical(And(parts) if len(parts) > 1 else parts[0])


@answers
async def everything(request: Request, datasette: Datasette) -> Response:
    """/tags.atom: all that is tagged."""
    return await _feed(await visit(request, datasette), None)


@answers
async def tag(request: Request, datasette: Datasette) -> Response:
    """/tags/{expression} and /tags/{expression}.atom: what it holds. Another form of an expression leads to the canonical one."""
    segment = request.url_vars["segment"]
    stem, format = split_format(segment)
    parsed = parse(stem)
    here = await visit(request, datasette)
    try:
        expression = await here.resolved(parsed)
    except NotFound:
        # feed.json may be a tag, and not a format of the tag feed.
        whole = decode_tag(segment) if format and not re.search(r"[+,()]|^-", segment) else ""
        if whole not in (await here.store.tag_list()).by_name:
            raise
        return _redirect(request, here.addresses.local(Tag(whole)))
    if expression != parsed:
        return _redirect(request, here.addresses.local(expression, format))
    if format == "atom":
        return await _feed(here, expression)
    if format:
        raise NotFound(f"There is no {format} feed here; {here.addresses.local(expression, 'atom')} is the Atom feed.")
    return await _page(here, expression)


def _redirect(request: Request, path: str) -> Response:
    return Response.redirect(path + (f"?{request.query_string}" if request.query_string else ""), status=301)


async def _page(here: Visit, expression: Expression) -> Response:
    selection = here.selection(expression)
    entries, last = await here.page(selection, feed=False)
    tallies = await here.store.tallies(selection)
    own, query = here.addresses.local(expression), here.parameters.query
    single = expression.name if isinstance(expression, Tag) else None
    description = await here.description(single) if single else ""
    known = (await here.store.tag_list()).by_name
    context = {
        "tag": single,
        "words": in_words(expression),
        "description": Markup(content.render(description, "markdown", here.addresses.base, trusted=False) or ""),
        "years": list(html.years(entries)),
        "next_url": own + query(last) if last else None,
        "first_url": own + query(None) if here.parameters.after else None,
        "page_url": here.addresses.absolute(own) + query(here.parameters.after),
        "feed_url": _feed_url(here, expression, {source for name in tags(expression) for source in known[name].sources}),
        "feed_title": here.title(expression),
        "narrowed": here.title(expression).removeprefix(here.title(None)) if here.parameters.filters() else "",
        "follow": single is not None and not here.request.query_string,
        **_about(here, tallies),
    }
    names = [f"tagfeeds-tag-{to_css_class(single)}.html"] if single else []
    return await _html(here, [*names, "tagfeeds-tag.html"], context)


@answers
async def health(request: Request, datasette: Datasette) -> Response:
    """/-/tagfeeds: what was found, what is wrong with it, and what to do about it."""
    here, report = await _health(request, datasette)
    context = {
        "health": report,
        "notices": report.all_warnings,
        "items": sum(source.items or 0 for source in report.sources),
        "total": len((await here.store.tag_list()).counts),
        "site_title": here.site.title,
        "language": here.settings.language,
        "index_url": here.addresses.local(),
        "page_url": here.addresses.absolute(str(datasette.urls.path(HEALTH))),
        "json_url": datasette.urls.path(f"{HEALTH}.json"),
        "follow": False,
    }
    return await _html(here, ["tagfeeds-health.html"], context)


@answers
async def health_json(request: Request, datasette: Datasette) -> Response:
    """/-/tagfeeds.json: the same for programs."""
    here, report = await _health(request, datasette)
    body = json.dumps(report.document(), default=str).encode()
    headers = {"Content-Length": str(len(body)), **(PRIVATE_HEADERS if here.private else {})}
    return Response(body, headers=headers, content_type="application/json; charset=utf-8")


async def _health(request: Request, datasette: Datasette) -> tuple[Visit, Health]:
    """The health of what the actor may see, for whoever may see the instance."""
    await access.ensure_instance(datasette, request.actor)
    here = await visit(request, datasette)
    reasons = here.settings.left_out
    verdicts = await access.tables(
        datasette, request.actor, {(database, name) for database, table in reasons for name in (table, *reasons[database, table].names)}
    )
    left_out = [
        (*place, reason.sentence)
        for place, reason in reasons.items()
        if verdicts[place][0] and all(verdicts[place[0], name][0] for name in reason.names)
    ]
    return here, await here.site.health(here.store, left_out, here.addresses.base)


@answers
async def nothing(request: Request, datasette: Datasette) -> Response:
    """All else below the base: a final slash is dropped; there is nothing further down."""
    path = request.scope.get("raw_path", request.path.encode()).decode("ascii", "replace").split("?")[0]
    if path.endswith("/") and not path.endswith("//"):
        return _redirect(request, path.rstrip("/"))
    raise NotFound("There is no such page of tags.")


def _feed_url(here: Visit, expression: Expression | None, sources: Iterable[str]) -> str | None:
    """The feed of a page, narrowed as it is; None where no source has dates to order it by."""
    if not here.has_dates(sources):
        return None
    return here.addresses.absolute(here.addresses.local(expression, "atom")) + here.parameters.query(None)


async def _feed(here: Visit, expression: Expression | None) -> Response:
    entries, last = await here.page(here.selection(expression), feed=True)
    settings, addresses, query = here.settings, here.addresses, here.parameters.query
    own = addresses.absolute(addresses.local(expression, "atom"))
    page = addresses.absolute(addresses.local(expression)) + query(None)
    links = [Link("self", own + query(here.parameters.after), FEED), Link("alternate", page, PAGE)]
    if last:
        links.append(Link("next", own + query(last), FEED))
    if last or here.parameters.after:
        links.append(Link("first", own + query(None), FEED))
    name = expression.name if isinstance(expression, Tag) else ""
    term = scrub(name).strip()
    feed = Feed(
        id=addresses.feed_id(expression, here.parameters.filters()),
        title=here.title(expression),
        author=settings.author or Person(one_line(here.site.title) or "Tags"),
        updated=max((entry.updated for entry in entries), default=NEVER),
        language=settings.language,
        links=tuple(links),
        entries=entries,
        category=Category(term, term, addresses.scheme, addresses.tag(name)) if term else None,
        complete=not last and not here.parameters.after,
    )
    body = atom.render(feed)
    headers = {**FEED_HEADERS, **(PRIVATE_HEADERS if here.private else {}), "Content-Length": str(len(body))}
    return Response(body, headers=headers, content_type=f"{atom.MEDIA_TYPE}; charset=utf-8")


async def _html(here: Visit, templates: list[str], context: dict[str, object]) -> Response:
    page = await here.datasette.render_template(templates, context, request=here.request)
    return Response.html(page, headers=PRIVATE_HEADERS if here.private else {})


def _about(here: Visit, tallies: list[Tally]) -> dict[str, object]:
    """What every page says of its items: how many, of which kinds, since when."""
    first = min((tally.first for tally in tallies if tally.first), default="")
    latest = max((tally.last for tally in tallies), default="")
    kinds = sorted(tallies, key=lambda tally: (-tally.items, tally.source))
    return {
        "site_title": here.site.title,
        "language": here.settings.language,
        "index_url": here.addresses.local(),
        "count": sum(tally.items for tally in tallies),
        "first": html.date_in_words(first),
        "latest": html.date_in_words(latest),
        "kinds": [(here.store.sources[tally.source].label, tally.items) for tally in kinds],
        "private": here.private,
    }


def _counted(one: TagCount, largest: int, addresses: Addresses) -> dict[str, object]:
    return {
        "name": one.tag,
        "url": addresses.local(Tag(one.tag)),
        "count": one.items,
        "share": round(100 * one.items / largest, 1),
        "latest": html.date_in_words(one.latest),
    }


def _index_start(given: str | None, total: int) -> int:
    if given is None:
        return 0
    if not given.isascii() or not given.isdecimal() or len(given) > 9:
        raise BadRequest("The parameter “next” is not one that this site gives.")
    return min(int(given), total)
