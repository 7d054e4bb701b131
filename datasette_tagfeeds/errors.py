"""Everything that can go wrong on purpose: each error carries its sentence and its HTTP status."""

import click
from datasette.utils import StartupError


class TagfeedsError(Exception):
    """An answer that is not the one asked for; its text is shown to the client as it stands."""

    status = 500


class BadRequest(TagfeedsError):
    """The address or a parameter cannot be understood (RFC 9110 §15.5.1)."""

    status = 400


class Refused(TagfeedsError):
    """The token in the address is not good, or not for this feed (RFC 9110 §15.5.4)."""

    status = 403


class NotFound(TagfeedsError):
    """Nothing of that name exists for this actor (RFC 9110 §15.5.5). `html` is the sentence as pages show it, with links."""

    status = 404

    def __init__(self, sentence: str, html: str | None = None) -> None:
        super().__init__(sentence)
        self.html = html


class Gone(TagfeedsError):
    """There was such a tag, and there will not be again (RFC 9110 §15.5.11)."""

    status = 410


class MethodNotAllowed(TagfeedsError):
    """Only GET and HEAD read feeds (RFC 9110 §15.5.6)."""

    status = 405


class AddressTooLong(TagfeedsError):
    """The address is over 8 KB (RFC 9110 §15.5.15)."""

    status = 414


class Unavailable(TagfeedsError):
    """The database could not answer now: interrupted, locked, or changed since start-up (RFC 9110 §15.6.4)."""

    status = 503


class Broken(Unavailable):
    """A source cannot be read at all as it is now: its table is gone, damaged, or its SQL fails on its rows."""


class ConfigError(StartupError, click.ClickException):  # type: ignore[misc]
    """Settings that cannot be served. Both bases make it one clean line and exit code 1 on either Datasette line."""

    def __init__(self, message: str) -> None:
        click.ClickException.__init__(self, message)
