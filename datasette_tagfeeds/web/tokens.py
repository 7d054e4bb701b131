"""Private feeds: addresses that act for an actor, for feed readers, which cannot sign in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from functools import wraps
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from datasette.utils import actor_matches_allow
from datasette.utils.asgi import Forbidden, Request, Response
from itsdangerous import BadData, base64_decode, base64_encode

from .. import site, store
from ..config import Settings
from ..errors import BadRequest, Gone, NotFound, Refused
from ..expression import Expression, canonical, parse, split_format
from . import parameters

if TYPE_CHECKING:
    from datasette.app import Datasette

    from .answers import View
    from .visit import Visit

NAMESPACE = "tagfeeds-token"
# Where a request's scope holds the token that it acts by.
HELD = "datasette-tagfeeds.token"
# Longer ones make addresses that readers, and servers on the way, cut or refuse.
LONGEST = 1500


class Token(NamedTuple):
    """What is signed: the feed's expression in its canonical form (None: the feed of everything), the actor that it acts for, the
    day it was made and the last day that it is good, in UTC."""

    expression: str | None
    actor: Mapping[str, Any]
    made: str
    until: str

    @property
    def id(self) -> str:
        """By which it is revoked. It begins with a letter, so that YAML takes none for a number."""
        return "t" + sha256(json.dumps(self, sort_keys=True).encode()).hexdigest()[:10]


class Held(NamedTuple):
    """A token, and how it is written in addresses."""

    token: Token
    written: str


def make(expression: str | None, actor: Mapping[str, Any], made: str, days: int) -> Token:
    """A token that is good for so many days; the same for the same actor, whatever the order of its members.

    Raises TypeError and ValueError for an actor that JSON cannot hold.
    """
    ordered = json.loads(json.dumps(actor, sort_keys=True, allow_nan=False))
    return Token(expression, ordered, made, (date.fromisoformat(made) + timedelta(days)).isoformat())


def write(datasette: Datasette, token: Token) -> str:
    """The token as addresses hold it, signed with Datasette's secret."""
    return str(datasette.sign(token._asdict(), NAMESPACE))


def read(datasette: Datasette, written: str) -> Token:
    """What `write` has written with the same secret. Raises Refused for every other text."""
    try:
        # The last letter of a signature has bits to spare, and base64 passes over what is none of its letters.
        signature = written.rpartition(".")[2]
        if base64_encode(base64_decode(signature)).decode() == signature:
            return Token(**datasette.unsign(written, NAMESPACE))
    except (BadData, TypeError, ValueError):
        pass
    raise Refused("The token in this address is not one that this site has signed.")


def fault(settings: Settings, token: Token, today: str) -> str | None:
    """Why a token is not good on a day, as a sentence; None where it is."""
    if today > token.until:
        return f"This address was good until {token.until}. Get a new one."
    if token.made < (settings.tokens_since or "") or any(_is_meant(token, one) for one in settings.revoked_tokens):
        return "This address has been revoked. Get a new one."
    return None


def _is_meant(token: Token, revoked: str | Mapping[str, Any]) -> bool:
    if isinstance(revoked, str):
        return token.id == revoked
    try:
        return bool(actor_matches_allow(token.actor, revoked))
    except TypeError:  # the actor has a map there, which is compared with nothing
        return True


def held(request: Request) -> Held | None:
    """The token that a request acts by."""
    found: Held | None = request.scope.get(HELD)
    return found


def by_token(view: View) -> View:
    """Let a feed's request with ?token= act for the token's actor. Raises Refused where the token is not good, or the actor may see nothing.

    What follows sees an actor like any other: permissions are asked anew each time.
    """

    @wraps(view)
    async def answering(request: Request, datasette: Datasette) -> Response:
        written = _presented(request)
        if written is None:
            return await view(request, datasette)
        token = read(datasette, written)
        if problem := fault((await site.site(datasette)).settings, token, _today()):
            raise Refused(problem)
        request.scope = {**request.scope, "actor": token.actor, HELD: Held(token, written)}
        try:
            return await view(request, datasette)
        except Forbidden as error:
            raise Refused("Whom this address was made for may see nothing here any more.") from error

    return answering


def _presented(request: Request) -> str | None:
    """The token in the address of a feed. On pages it means nothing. Raises BadRequest for several."""
    if not request.scope["query_string"] or not _is_feed(request.url_vars):
        return None
    return parameters.single(request.args, "token")


def _is_feed(place: Mapping[str, str]) -> bool:
    return "format" in place or split_format(place["segment"])[1] is not None


def _today() -> str:
    return store.now()[:10]


async def ensure(here: Visit, expression: Expression | None) -> None:
    """Raise Refused where the visit is by a token for another feed. An old name of a tag stands for its new one."""
    if here.held is None:
        return
    asked = None if expression is None else str(canonical(expression))
    meant = here.held.token.expression
    if asked != meant and not (expression and meant and await _same(here, expression, parse(meant))):
        raise Refused("The token in this address is for another feed.")


async def _same(here: Visit, one: Expression, other: Expression) -> bool:
    try:
        return await here.resolved(one) == await here.resolved(other)
    except (NotFound, Gone, BadRequest):
        return False


def offered(here: Visit, expression: Expression) -> Held | None:
    """The token that a page gives to its signed-in actor; None where everyone may see as much, or it would not last.

    Whoever came with a token of Datasette's own gets none, since it would outlive that one.
    """
    actor, settings, today = here.request.actor, here.settings, _today()
    if not (here.private and actor and settings.token_days and keeps_secret()) or "token" in actor:
        return None
    try:
        token = make(str(expression), actor, today, settings.token_days)
        written = write(here.datasette, token)
    except (TypeError, ValueError):
        return None
    return Held(token, written) if len(written) <= LONGEST and not fault(settings, token, today) else None


def keeps_secret() -> bool:
    """False where this is `datasette serve` without --secret: what it signs is worth nothing when it is started again."""
    context = click.get_current_context(silent=True)
    return context is None or "secret" not in context.params or bool(context.params["secret"])
