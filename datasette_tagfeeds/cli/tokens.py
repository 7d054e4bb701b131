"""datasette tagfeeds token: addresses of private feeds, made and read."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import click
from datasette.utils.asgi import Forbidden, Request

from .. import site, store
from ..errors import Refused
from ..expression import FORMATS, parse
from ..web import tokens
from ..web.visit import Visit, visit
from .given import Given, answered, below, instance, prefix

# In the place of an expression. No tag is written so: @ is ~40.
EVERYTHING = "@everything"


def signing(command: Callable[..., None]) -> Callable[..., None]:
    """Add what an address is made with."""
    for option in (
        prefix,
        click.option("--read", is_flag=True, help="Say what the address given for EXPRESSION was made for, and whether it is good"),
        click.option("--format", type=click.Choice(FORMATS), default="atom", show_default=True),
        click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="For how long it is good"),
        click.option("--actor", help="Whose: an id, or a JSON object"),
        click.option("--secret", envvar="DATASETTE_SECRET", required=True, help="The secret that you serve with"),
    ):
        command = option(command)
    return command


def token(
    expression: str,
    files: tuple[str, ...],
    given: Given,
    actor: str | None,
    days: int,
    format: str,
    secret: str,
    prefix: str,
    read: bool,
) -> None:
    """Print the address of a feed that shows what an actor may see, for feed readers, which cannot sign in.

    EXPRESSION is written as in addresses: python+sqlite; or @everything, for the feed of all that is tagged. Give the settings that
    you serve with.
    """
    datasette = instance(files, given, secret=secret, settings=below(prefix))
    if read:
        answered(_read(datasette, expression))
    elif actor is None:
        raise click.UsageError("Say whose address it is to be, with --actor.")
    else:
        answered(_make(datasette, expression, _actor(actor), days, format))


def _actor(given: str) -> Mapping[str, Any]:
    try:
        actor = json.loads(given) if given.lstrip().startswith("{") else {"id": given}
        # What Python reads beyond JSON, and half a character, cannot be signed.
        json.dumps(actor, allow_nan=False, ensure_ascii=False).encode()
    except ValueError as error:
        raise click.UsageError(f"--actor is no JSON object: {error}") from error
    if not actor or not given.strip():
        raise click.UsageError("--actor must be an id, or a JSON object that says who it is.")
    return dict(actor)


async def _make(datasette: Any, wanted: str, actor: Mapping[str, Any], days: int, format: str) -> None:
    await datasette.invoke_startup()
    request = Request.fake("/")
    request.scope["actor"] = actor
    try:
        here = await visit(request, datasette)
        expression = None if wanted == EVERYTHING else await here.resolved(parse(wanted))
    except Forbidden as error:
        raise click.ClickException("This actor may see nothing here.") from error
    if not here.settings.base_url:
        raise click.ClickException("The settings have no base_url, with which the address would begin.")
    written = None if expression is None else str(expression)
    made = tokens.make(written, actor, here.store.now[:10], days)
    feed = here.addresses.absolute(here.addresses.local(expression, format))
    click.echo(f"{feed}?token={tokens.write(datasette, made)}")
    click.echo(_about(here, made), err=True)


def _about(here: Visit, made: tokens.Token) -> str:
    said = f"Good until {made.until}. Its id is {made.id}."
    problem = tokens.fault(here.settings, made, made.made)
    said += f" It would be refused: {problem}" if problem else ""
    return said if here.private else f"{said} This actor sees what everyone sees: the address without the token does as well."


async def _read(datasette: Any, address: str) -> None:
    """Print what a token says; exit code 1 where it is not good, or no more."""
    await datasette.invoke_startup()
    written = parse_qs(urlsplit(address).query).get("token", [address])[-1]
    try:
        found = tokens.read(datasette, written)
    except Refused as error:
        raise click.ClickException("This address was not signed with this secret, or was changed.") from error
    problem = tokens.fault((await site.site(datasette)).settings, found, store.now()[:10])
    for name, value in (
        ("Feed", found.expression or EVERYTHING),
        ("Actor", json.dumps(found.actor, ensure_ascii=False)),
        ("Made", found.made),
        ("Until", found.until),
        ("Id", found.id),
    ):
        click.echo(f"{name + ':':<7}{value}")
    if problem:
        raise click.ClickException(problem)
