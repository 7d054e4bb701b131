"""What a stored value is as text, as a web address, and as a part of a document."""

import re
from html import escape
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

# XML 1.0 §2.2 forbids all but these; DEL and the C1 controls it only discourages, but readers take them for windows-1252.
_UNWANTED = re.compile("[^\t\n\r\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAG = re.compile(r"<[^<>]*>")
_URI_SAFE = "/:=&?~+!$,;'@()*%"


def text(value: object) -> str | None:
    """A stored value as text; None for NULL and for bytes, which are nobody's words."""
    return None if value is None or isinstance(value, (bytes, bytearray, memoryview)) else str(value)


def scrub(value: str) -> str:
    """The text without what an XML document may not hold. The last step before a document, after any sanitising."""
    return _UNWANTED.sub("", value)


def one_line(value: object) -> str:
    """The value as one line of plain text: white space folded; '' for what has no text."""
    return " ".join(scrub(text(value) or "").split())


def shorten(value: str, length: int) -> str:
    """At most `length` characters, cut at a word where there is one, with an ellipsis where something was cut."""
    if len(value) <= length:
        return value
    cut = value[:length]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut).rstrip(" ,;:.-") + "…"


def strip_tags(markup: str) -> str:
    """HTML without its tags, entities left alone; linear in its length whatever it holds."""
    return _TAG.sub(" ", markup)


def address(value: object, base: str, schemes: tuple[str, ...] = ("http", "https")) -> str | None:
    """The absolute URI (RFC 3986) that a stored link means, read against `base`; None where it means none."""
    written = re.sub(r"[\x00-\x20\x7f-\x9f]+", "%20", scrub(text(value) or "").strip())
    if not written:
        return None
    try:
        parts = urlsplit(urljoin(base, written))
        if parts.scheme not in schemes or (parts.scheme in ("http", "https") and not parts.hostname):
            return None
        return urlunsplit((parts.scheme, _authority(parts.netloc), *(_escape(part) for part in parts[2:])))
    except (ValueError, UnicodeError):
        return None


def _authority(netloc: str) -> str:
    """The host in ASCII (RFC 5891); raises ValueError for what cannot be one."""
    if not netloc.isascii():
        netloc = netloc.encode("idna").decode("ascii")
    if not re.fullmatch(r"([^\s@\[\]<>\"\\^`{|}/?#]*@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)?(:\d*)?", netloc):
        raise ValueError(f"{netloc!r} is no host")
    return netloc


def _escape(part: str) -> str:
    return quote(re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", part), safe=_URI_SAFE)


def written_size(value: str) -> int:
    """The bytes that a text takes in the largest of our documents: XML escapes & < >, JSON quotes, backslashes and line ends."""
    return len(escape(value, quote=False).encode()) + sum(map(value.count, '"\\\n\t'))


def styled(document: bytes, stylesheet: str | None) -> bytes:
    """The XML document, with the instruction that makes browsers show it by a CSS stylesheet."""
    if not stylesheet:
        return document
    declaration, _, rest = document.partition(b"?>")
    return declaration + f'?>\n<?xml-stylesheet type="text/css" href="{escape(stylesheet)}"?>'.encode() + rest


def is_iri(value: str) -> bool:
    """True for what RFC 4287 §4.2.6 takes as an id: an absolute IRI without white space."""
    return bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+", value)) and value == scrub(value)


def is_language(value: str) -> bool:
    """True for what has the shape of a language tag, such as en or pt-BR (RFC 5646 §2.1)."""
    return bool(re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", value))
