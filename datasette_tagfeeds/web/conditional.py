"""Conditional requests (RFC 9110 §13) and what of them servers in front spoil. Decisions only; nothing is sent here."""

import gzip
import hashlib
import re
from datetime import datetime, timezone
from email.utils import format_datetime, parsedate_to_datetime

# A tag (RFC 9110 §8.8.3); Apache puts what it did to a body before or behind the closing quote.
_TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"(?:-gzip)?')
_SUFFIX = re.compile(r"(?:--?|;)(?:gzip|br|zstd|deflate)$")
# The three forms of a date (RFC 9110 §5.6.7); any other must be passed over (§13.1.3).
_TIME = r"\d\d:\d\d:\d\d"
_DATE = re.compile(
    rf"[A-Z][a-z]{{2}}, \d\d [A-Z][a-z]{{2}} \d{{4}} {_TIME} GMT|[A-Z][a-z]{{5,8}}, \d\d-[A-Z][a-z]{{2}}-\d\d {_TIME} GMT"
    rf"|[A-Z][a-z]{{2}} [A-Z][a-z]{{2}} [ \d]\d {_TIME} \d{{4}}",
    re.ASCII,
)
# A second within which a file changes twice has one date; only older dates tell states apart.
SETTLED = 2


def entity_tag(*parts: bytes) -> str:
    """The weak tag of a document, one for all its codings (RFC 9110 §8.8.1): a hash of its bytes and of what else it says."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return f'W/"{digest.hexdigest()[:32]}"'


def not_modified(if_none_match: str | None, if_modified_since: str | None, tag: str, modified: int | None, now: int) -> bool:
    """True where the client has this document (RFC 9110 §13.2.2): tags decide where any are sent, else the date.

    `modified` and `now` are in Unix seconds; without `modified` a date tells nothing.
    """
    if if_none_match is not None:
        return if_none_match.strip() == "*" or opaque(tag) in _tags(if_none_match)
    since = _date(if_modified_since) if if_modified_since and modified is not None else None
    return since is not None and modified is not None and modified <= since and now - modified >= SETTLED


def opaque(tag: str) -> str:
    """What of a tag is compared weakly: what is between its quotes."""
    return tag.removeprefix("W/").strip('"')


def _tags(header: str) -> set[str]:
    """The tags of a list, as they are and without the suffixes that servers add; what is malformed is passed over."""
    found = _TAG.findall(header)
    return {*found, *(_SUFFIX.sub("", one) for one in found)}


def _date(header: str) -> int | None:
    """An HTTP date in Unix seconds, in any of its three forms (RFC 9110 §5.6.7); None for what is none."""
    if not _DATE.fullmatch(header.strip()):
        return None
    try:
        moment = parsedate_to_datetime(header)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def http_date(seconds: int) -> str:
    """Unix seconds as an HTTP date (RFC 9110 §5.6.7)."""
    return format_datetime(datetime.fromtimestamp(seconds, timezone.utc), usegmt=True)


def accepts_gzip(header: str | None) -> bool:
    """True where the client takes gzip: named, or by *, with a weight over 0 and no less than identity's (RFC 9110 §12.5.3)."""
    weights = {}
    for part in (header or "").lower().split(","):
        coding, _, parameters = part.partition(";")
        weight = re.search(r"(?:^|;)\s*q\s*=\s*([\d.]+)", parameters)
        weights[coding.strip()] = float(weight[1]) if weight and re.fullmatch(r"\d*\.?\d+|\d+\.", weight[1]) else 1.0
    weight_of_gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return weight_of_gzip > 0 and weight_of_gzip >= weights.get("identity", 0.0)


def expanded(body: bytes) -> bytes:
    """What `compressed` was given."""
    return gzip.decompress(body)


def compressed(body: bytes) -> bytes:
    """The body as gzip; the same body always gives the same bytes."""
    return gzip.compress(body, 6, mtime=0)
