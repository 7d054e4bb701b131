"""The routes: each view finds out what is asked for, and has it answered."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from datasette.utils.asgi import Request, Response

from .. import site
from ..config import Settings
from ..errors import BadRequest, NotFound
from ..expression import MAX_TAGS, And, Expression, Not, Or, Tag, canonical, decode_tag, parse, split_format
from ..health import Health
from . import access, index, pages
from .answers import CORS, PRIVATE, answers, is_personal
from .documents import again
from .feeds import feed
from .tokens import by_token, ensure
from .urls import Addresses
from .visit import Visit, visit

if TYPE_CHECKING:
    from datasette.app import Datasette


@answers
@again
async def tags(request: Request, datasette: Datasette) -> Response:
    """/tags: every tag with its count. A form's choice of tags (?t=a&t=b&not=c&op=any) leads to their combination."""
    if chosen := _chosen(request):
        return Response.redirect(Addresses(datasette, request, Settings(), site.path(datasette)).local(chosen), status=302)
    return await pages.index(await visit(request, datasette, of_items=False))


def _chosen(request: Request) -> Expression | None:
    """The expression that a form's fields choose: the tags `t` by `op` (all, any, not), but those of `not`, within what `within` says;
    or besides it, by the `op` called or."""
    wanted = [Tag(one) for one in dict.fromkeys(request.args.getlist("t")) if one.strip()]
    unwanted = [Not(Tag(one)) for one in dict.fromkeys(request.args.getlist("not")) if one.strip()]
    if not wanted and not unwanted:
        return None
    if (op := request.args.get("op") or "all") not in ("all", "any", "not", "or"):
        raise BadRequest("The parameter “op” must be all, any, not or or.")
    if op == "not":
        wanted, unwanted = [], [*(Not(one) for one in wanted), *unwanted]
    within = [parse(request.args["within"])] if request.args.get("within") else []
    choice = [Or(tuple(wanted)) if op in ("any", "or") else And(tuple(wanted))] if wanted else []
    whole = [Or((*within, *choice))] if op == "or" else [*within, *choice]
    chosen = canonical(And((*whole, *unwanted)))
    try:
        return parse(str(chosen))
    except BadRequest as error:
        raise BadRequest(f"An expression combines at most {MAX_TAGS} tags, with two levels of parentheses.") from error


@answers
async def tags_json(request: Request, datasette: Datasette) -> Response:
    """/tags.json: the same for programs, and for autocomplete."""
    return await index.as_json(await visit(request, datasette, of_items=False))


@answers
async def tags_opml(request: Request, datasette: Datasette) -> Response:
    """/tags.opml: the feeds of the most used tags."""
    return await index.as_opml(await visit(request, datasette, of_items=False))


@answers
@by_token
@again
async def everything(request: Request, datasette: Datasette) -> Response:
    """/tags.atom, /tags.rss, /tags.feed.json: all that is tagged."""
    here = await visit(request, datasette)
    await ensure(here, None)
    return await feed(here, None, request.url_vars["format"])


@answers
@by_token
@again
async def tag(request: Request, datasette: Datasette) -> Response:
    """/tags/{expression} and its feeds. Another form of an expression leads to the canonical one."""
    segment = request.url_vars["segment"]
    stem, format = split_format(segment)
    parsed = parse(stem)
    here = await visit(request, datasette)
    await ensure(here, parsed)
    try:
        expression = await here.resolved(parsed)
    except NotFound:
        # feed.json may be a tag, and not a format of the tag feed.
        whole = decode_tag(segment) if format and not re.search(r"[+,()]|^-", segment) else ""
        if whole not in await here.store.carried([whole]):
            raise
        return _redirect(request, here.addresses.local(Tag(whole)))
    if expression != parsed:
        return _redirect(request, here.addresses.local(expression, format))
    return await feed(here, expression, format) if format else await pages.tag(here, expression)


def _redirect(request: Request, path: str) -> Response:
    query = f"?{request.query_string}" if request.query_string else ""
    return Response.redirect(path + query, status=301, headers=dict(PRIVATE if is_personal(request) else CORS))


@answers
async def random(request: Request, datasette: Datasette) -> Response:
    """/tags/{expression}/random: on to one of its items."""
    here = await visit(request, datasette)
    link = await here.random(await here.resolved(parse(request.url_vars["segment"])))
    return Response.redirect(link, status=302, headers={"Cache-Control": "no-store"})


@answers
async def health(request: Request, datasette: Datasette) -> Response:
    """/-/tagfeeds: what was found, what is wrong with it, and what to do about it."""
    return await pages.health(*await _health(request, datasette))


@answers
async def health_json(request: Request, datasette: Datasette) -> Response:
    """/-/tagfeeds.json: the same for programs."""
    here, report = await _health(request, datasette)
    return index.send(here, json.dumps(report.document(), default=str).encode(), "application/json", {})


async def _health(request: Request, datasette: Datasette) -> tuple[Visit, Health]:
    """The health of what the actor may see, for whoever may see the instance."""
    await access.ensure_instance(datasette, request.actor)
    here = await visit(request, datasette, of_items=False)
    reasons = here.settings.left_out
    asked = {(database, name) for (database, table), reason in reasons.items() for name in (table, *reason.names)}
    verdicts = await access.tables(datasette, request.actor, asked)
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
