"""The body of an entry: from what a column holds to HTML that any reader may show."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from html import escape, unescape

import nh3

from .markdown import markdown
from .values import address, one_line, shorten

# nh3 takes time that grows with the tags times the depth they nest to, and with the square of some kinds of tag, so
# size, tags and depth are bounded before it sees a body.
MAX_SIZE = 512 * 1024
MAX_DEPTH = 500
MAX_TAGS = 40_000
MAX_REPEATED = 2 * 1024 * 1024
EXCERPT = 300

_SCHEMES = ("http", "https", "mailto", "tel")
_URL_ATTRIBUTES = frozenset(["href", "src", "poster", "cite"])
_TAGS = nh3.ALLOWED_TAGS | {"audio", "video", "source", "track", "picture", "tfoot"}
_ATTRIBUTES = {
    **nh3.ALLOWED_ATTRIBUTES,
    "a": {"href", "hreflang", "title"},
    "abbr": {"title"},
    "time": {"datetime"},
    "code": {"class"},
    "details": {"open"},
    "img": {"src", "srcset", "sizes", "alt", "title", "width", "height"},
    "audio": {"src", "controls", "preload", "loop"},
    "video": {"src", "controls", "preload", "loop", "poster", "width", "height"},
    "source": {"src", "srcset", "type", "media"},
    "track": {"src", "kind", "srclang", "label"},
}
_EVERYWHERE = frozenset(["lang", "title"])
# Not allowed, but nh3 must see them: they end a paragraph.
_BLOCKS = frozenset(["address", "dialog", "dir", "fieldset", "form", "main", "menu", "search", "section"])
_VOID = frozenset(["area", "br", "col", "hr", "img", "source", "track", "wbr"])
# Elements within a line: words on either side of their tags may be one.
_INLINE = frozenset("a abbr b cite code del em i ins kbd mark q s samp small span strong sub sup u var".split())
_FORMATTING = frozenset(["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"])
# What these hold is no markup (or, in svg and math, markup of another kind).
_TEXT = frozenset(["textarea", "title", "xmp"])
_FOREIGN = frozenset(["svg", "math"])
_RAW = frozenset(["iframe", "noembed", "noframes", "noscript", "script", "style"]) | _TEXT | _FOREIGN
# End tags that HTML lets one leave out: which open elements a start tag closes, and which any end tag does.
_CLOSED_BY = {
    "p": {"p"},
    "li": {"p", "li"},
    "dt": {"p", "dt", "dd"},
    "dd": {"p", "dt", "dd"},
    "td": {"p", "td", "th"},
    "th": {"p", "td", "th"},
    "tr": {"p", "td", "th", "tr"},
    **{name: {"p", "td", "th", "tr", "thead", "tbody", "tfoot"} for name in ("thead", "tbody", "tfoot")},
}
_OPTIONAL = {"p", "li", "dt", "dd", "rt", "rp"}
_OPTIONAL_IN_TABLE = {"p", "td", "th", "tr", "thead", "tbody", "tfoot"}

# The tokens of the HTML standard (§13.2.5). Each alternative runs to the end of the text where its own end is
# missing, so none is tried in vain and the whole takes linear time.
_SPACE = r"[\t\n\f\r ]"
_ATTRIBUTE = (
    rf"(?P<name>[^\t\n\f\r />][^\t\n\f\r />=]*)"
    rf"(?:(?P<equals>{_SPACE}*={_SPACE}*)(?:(?P<value>\"[^\"]*(?:\"|\Z)|'[^']*(?:'|\Z)|[^\t\n\f\r >\"'][^\t\n\f\r >]*)|(?=>)|\Z))?"
)
_UNNAMED = re.sub(r"\?P<\w+>", "?:", _ATTRIBUTE)
_MARKUP = re.compile(
    rf"<!--(?:-?>|.*?(?:--!?>|\Z))|<(?:[!?]|/(?![A-Za-z]))[^>]*(?:>|\Z)"
    rf"|<(?P<closing>/?)(?P<tag>[A-Za-z][^\t\n\f\r />]*)(?P<attributes>(?:[\t\n\f\r /]+|{_UNNAMED})*)(?P<end>>|\Z)",
    re.S,
)
_ATTRIBUTE_TOKEN = re.compile(_ATTRIBUTE)
_CANDIDATE = re.compile(r"([^\s,]\S*)(?:(?<=,)|([^,]*))")
_BARE_AND = re.compile("&(?![#A-Za-z])")
_SCHEME = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*:")
_LANGUAGE_CLASS = re.compile(r"language-[\w+#.-]+")


def render(written: str, kind: str, base: str, trusted: bool) -> str | None:
    """HTML of a body written as html, markdown or text; None where it is too large or too deep to be worth its cost.

    Relative addresses are read against `base`. What is not trusted is sanitised.
    """
    html = _html(written, kind)
    if html is None:
        return None
    made = _absolute(html, base) if trusted else _sanitised(html, base)
    return made if made is not None and len(made) <= MAX_SIZE else None


def excerpt(written: str, kind: str, length: int = EXCERPT) -> str:
    """The beginning of a body as one line of plain text; looks at no more of it than it needs."""
    beginning = written[: length * 40]
    html = _html(beginning, kind)
    words = beginning if html is None else unescape(_words(html, cut=len(beginning) < len(written)))
    return shorten(one_line(words), length)


def _html(written: str, kind: str) -> str | None:
    """The body as HTML; None where it is too large, as written or as HTML."""
    html = _RENDERERS[kind](written) if len(written) <= MAX_SIZE else None
    return html if html is not None and len(html) <= MAX_SIZE else None


def _paragraphs(written: str) -> str:
    """Plain text as HTML: blank lines part paragraphs, other line ends are kept."""
    blocks = re.split(r"\n[ \t]*\n\s*", written.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n".join(f"<p>{escape(block, quote=False)}</p>".replace("\n", "<br>\n") for block in blocks if block.strip())


_RENDERERS: dict[str, Callable[[str], str | None]] = {"html": str, "markdown": partial(markdown, limit=MAX_SIZE), "text": _paragraphs}


def _markup(html: str) -> Iterator[tuple[re.Match[str], int]]:
    """Tags, comments and declarations in order, each with the place where markup may follow: behind the text of a script."""
    at, raw = 0, set(_RAW)
    while found := _MARKUP.search(html, at):
        at, name = found.end(), (found["tag"] or "").lower()
        if name in raw and not found["closing"] and not (name in _FOREIGN and found["attributes"].endswith("/")):
            end = _RAW_ENDS[name].search(html, at)
            if end or name not in _FOREIGN:
                at = end.start() if end else len(html)
            else:
                raw.discard(name)  # an svg that is never closed hides nothing; asked once, for the search takes time
        yield found, at


_RAW_ENDS = {name: re.compile(rf"</{name}(?=[\t\n\f\r />])", re.I) for name in _RAW}


def _words(html: str, cut: bool) -> str:
    """The text between the markup, references left alone, but for one that was cut off at the end."""
    words, at = [], 0
    for found, end in _markup(html):
        words += [html[at : found.start()], "" if (found["tag"] or "").lower() in _INLINE else " "]
        at = end
    words.append(re.sub(r"&#?\w{0,32}\Z", "", html[at:]) if cut else html[at:])
    return "".join(words)


class _Nesting:
    """How deep elements can be open in any parser: only an end tag that HTML surely takes for the innermost closes it.

    An end tag at another place may be ignored, and an unclosed <b> is opened again in each paragraph that follows.
    """

    def __init__(self) -> None:
        self.open: list[tuple[str, int]] = []  # with how long the formatting elements up to there are
        self.repeated = 0

    def tag(self, written: str, name: str, closing: bool) -> None:
        """Note a tag; each may make the parser repeat all open formatting elements."""
        self.repeated += self._formatting()
        if closing:
            self._end(name)
        elif name not in _VOID:
            self._start(written, name)

    def too_much(self) -> bool:
        """True where the parser could need too long."""
        return len(self.open) > MAX_DEPTH or self.repeated > MAX_REPEATED

    def _formatting(self) -> int:
        return self.open[-1][1] if self.open else 0

    def _start(self, written: str, name: str) -> None:
        del self.open[self._without(_CLOSED_BY.get(name, set())) :]
        self.open.append((name, self._formatting() + (len(written) + 10 if name in _FORMATTING else 0)))

    def _end(self, name: str) -> None:
        left = self._without((_OPTIONAL_IN_TABLE if name in _OPTIONAL_IN_TABLE | {"table"} else _OPTIONAL) - {name})
        if left and self.open[left - 1][0] == name:
            del self.open[left - 1 :]

    def _without(self, optional: set[str]) -> int:
        """How many elements are open apart from the innermost ones of these kinds."""
        left = len(self.open)
        while left and self.open[left - 1][0] in optional:
            left -= 1
        return left


def _plain(html: str) -> str | None:
    """HTML of nothing but tags that matter, written so that all parsers agree on it; None where they are too many or too deep."""
    parts, at, nesting, tags = [], 0, _Nesting(), 0
    for found, end in _markup(html):
        parts.append(_text(html[at : found.start()]))
        parts.append(_plain_tag(found, html[found.end() : end], nesting))
        tags += bool(parts[-1])
        at = end
        if tags > MAX_TAGS or nesting.too_much():
            return None
    parts.append(_text(html[at:]))
    return "".join(parts)


def _text(written: str) -> str:
    """Text between tags without bare < and &, on which nh3 takes long."""
    return _BARE_AND.sub("&amp;", written).replace("<", "&lt;")


def _plain_tag(found: re.Match[str], raw: str, nesting: _Nesting) -> str:
    """What stays of a tag and of raw text behind it."""
    name = (found["tag"] or "").lower()
    if name in _TEXT:
        return _text(raw)
    if not found["end"] or name not in _TAGS | _BLOCKS:
        return ""
    nesting.tag(found[0], name, bool(found["closing"]))
    if found["closing"]:
        return f"</{name}>"
    kept = _ATTRIBUTES.get(name, set()) | _EVERYWHERE
    attributes = (written[0] for written in _ATTRIBUTE_TOKEN.finditer(found["attributes"]) if written["name"].lower() in kept)
    return f"<{' '.join((name, *attributes))}>".replace("<", "&lt;").replace("&lt;", "<", 1)


class _Addresses:
    """Makes the addresses in attributes absolute, as long as what they come to is worth its cost."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.room = MAX_SIZE

    def filter(self, element: str, name: str, value: str) -> str | None:
        """An attribute as it may stay, or None."""
        if name == "class":
            return value if _LANGUAGE_CLASS.fullmatch(value) else None
        if name == "srcset":
            return ", ".join(self._candidates(value)) or None
        return self._address(value, _SCHEMES) if name in _URL_ATTRIBUTES else value

    def relative(self, name: str, value: str) -> str:
        """An attribute with what is relative in it made absolute."""
        if name == "srcset":
            return _CANDIDATE.sub(lambda found: found[0].replace(found[1], self._kept(found[1]), 1), value)
        return self._kept(value) if name in _URL_ATTRIBUTES else value

    def _candidates(self, srcset: str) -> Iterator[str]:
        """The images of a srcset that may stay; only white space and a comma behind an address part them."""
        for found in _CANDIDATE.finditer(srcset):
            if image := self._address(found[1].rstrip(","), ("http", "https")):
                yield f"{image}{found[2] or ''}".rstrip()

    def _kept(self, value: str) -> str:
        bare = value.rstrip(",")
        absolute = None if _SCHEME.match(value) else self._address(bare, _SCHEMES)
        return value if absolute is None else absolute + value[len(bare) :]

    def _address(self, value: str, schemes: tuple[str, ...]) -> str | None:
        absolute = address(value, self.base, schemes) if self.room > 0 else None
        self.room -= len(absolute or "")
        return absolute


def _sanitised(html: str, base: str) -> str | None:
    plain = _plain(html)
    if plain is None or len(plain) > MAX_SIZE:
        return None
    addresses = _Addresses(base)
    made = nh3.clean(plain, tags=_TAGS, attributes=_ATTRIBUTES, attribute_filter=addresses.filter, url_schemes=set(_SCHEMES), link_rel=None)
    return made if addresses.room > 0 else None


def _absolute(html: str, base: str) -> str | None:
    """The same bytes with relative addresses made absolute; nothing else is touched."""
    addresses = _Addresses(base)
    parts, at = [], 0

    def attribute(written: re.Match[str]) -> str:
        return _rewritten(written, addresses)

    for found, _ in _markup(html):
        if found["attributes"] and found["end"] and not found["closing"]:
            start = found.start("attributes")
            parts += [html[at:start], _ATTRIBUTE_TOKEN.sub(attribute, found["attributes"])]
            at = found.end("attributes")
    return "".join(parts) + html[at:] if addresses.room > 0 else None


def _rewritten(written: re.Match[str], addresses: _Addresses) -> str:
    """An attribute as written, or with its relative addresses made absolute."""
    name, value = written["name"], written["value"]
    if not value or name.lower() not in _URL_ATTRIBUTES | {"srcset"}:
        return written[0]
    before = unescape(value[1:-1] if value[0] in "\"'" else value)
    after = addresses.relative(name.lower(), before)
    return written[0] if after == before else f'{name}{written["equals"]}"{escape(after)}"'
