"""The body of an entry: from what a column holds to HTML that any reader may show."""

import re
from collections.abc import Callable
from html import escape, unescape
from html.parser import HTMLParser

import nh3
from markdown_it import MarkdownIt

from .values import address, one_line, shorten, strip_tags

# nh3 takes time quadratic in the depth of nesting, so depth and size are bounded before it sees a body.
MAX_SIZE = 512 * 1024
MAX_DEPTH = 200
EXCERPT = 300

_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_BRACKET = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)")
# Elements that never nest: void ones, and those that the next of their kind closes.
_FLAT = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "source",
        "track",
        "wbr",
        "p",
        "li",
        "dt",
        "dd",
        "option",
        "tr",
        "td",
        "th",
        "thead",
        "tbody",
        "tfoot",
        "rp",
        "rt",
    ]
)
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
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LANGUAGE_CLASS = re.compile(r"language-[\w+#.-]+")


def render(written: str, kind: str, base: str, trusted: bool) -> str | None:
    """HTML of a body written as html, markdown or text; None where it is too large or too deep to be worth its cost.

    Relative addresses are read against `base`. What is not trusted is sanitised.
    """
    if len(written) > MAX_SIZE:
        return None
    html = _RENDERERS[kind](written)
    if trusted:
        return _absolute(html, base)
    return _sanitised(html, base) if _depth(html) <= MAX_DEPTH else None


def excerpt(written: str, kind: str, length: int = EXCERPT) -> str:
    """The beginning of a body as one line of plain text; looks at no more of it than it needs."""
    return shorten(one_line(unescape(strip_tags(_RENDERERS[kind](written[: length * 40])))), length)


def _paragraphs(written: str) -> str:
    """Plain text as HTML: blank lines part paragraphs, other line ends are kept."""
    blocks = re.split(r"\n[ \t]*\n\s*", written.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n".join(f"<p>{escape(block, quote=False)}</p>".replace("\n", "<br>\n") for block in blocks if block.strip())


_RENDERERS: dict[str, Callable[[str], str]] = {"html": str, "markdown": _MARKDOWN.render, "text": _paragraphs}


def _depth(html: str) -> int:
    """The deepest nesting that the markup can have; unclosed elements count as open to the end."""
    depth = deepest = 0
    for closing, name in _BRACKET.findall(html):
        if name.lower() not in _FLAT:
            depth += -1 if closing and depth else 0 if closing else 1
            deepest = max(deepest, depth)
    return deepest


def _sanitised(html: str, base: str) -> str:
    def attribute(element: str, name: str, value: str) -> str | None:
        if name == "class":
            return value if _LANGUAGE_CLASS.fullmatch(value) else None
        return _attribute(name, value, base)

    return nh3.clean(html, tags=_TAGS, attributes=_ATTRIBUTES, attribute_filter=attribute, url_schemes=set(_SCHEMES), link_rel=None)


def _attribute(name: str, value: str, base: str) -> str | None:
    """An attribute's value with its addresses made absolute; None where an address may not stay."""
    if name in _URL_ATTRIBUTES:
        return address(value, base, _SCHEMES)
    if name == "srcset":
        parts = (part.split(None, 1) for part in value.split(",") if part.strip())
        found = [(address(url, base), *rest) for url, *rest in parts]
        return ", ".join(" ".join(map(str, part)) for part in found if part[0]) or None
    return value


def _absolute(html: str, base: str) -> str:
    """The same bytes with relative addresses made absolute; nothing else is touched."""
    finder = _RelativeAddresses(base)
    finder.feed(html)
    done, at = [], 0
    for tag, replacement in finder.found:
        start = html.find(tag, at)
        if start >= 0:
            done += [html[at:start], replacement]
            at = start + len(tag)
    return "".join(done) + html[at:]


class _RelativeAddresses(HTMLParser):
    """Collects (start tag as written, start tag with absolute addresses), in order, of those that differ."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag with a relative address (also called for <img/>)."""
        written = self.get_starttag_text() or ""
        changed = written
        for name, value in attrs:
            is_address = name in _URL_ATTRIBUTES or name == "srcset"
            if value and is_address and not _SCHEME.match(value) and (absolute := _attribute(name, value, self.base)):
                changed = _with_value(changed, name, absolute)
        if changed != written:
            self.found.append((written, changed))


def _with_value(start_tag: str, name: str, value: str) -> str:
    """The start tag as written, with another value for one attribute."""
    written = re.compile(rf"(\s{name}\s*=\s*)(?:\"[^\"]*\"|'[^']*'|[^\s>]+)", re.I)
    return written.sub(lambda found: f'{found[1]}"{escape(value)}"', start_tag, count=1)
