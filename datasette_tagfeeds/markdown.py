"""Markdown as HTML, within bounds: markdown-it-py is slower than linear on some of it, and references can make it huge."""

import re
from collections.abc import Iterable

from markdown_it import MarkdownIt
from markdown_it.token import Token

MAX_MARKS = 50_000
MAX_QUOTING = 500_000
_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_BLANK_LINE = re.compile(r"(?:\r\n?|\n)[ \t]*(?:\r\n?|\n)")
_MARK = re.compile(r"[^\w ]|_")


def markdown(written: str, limit: int) -> str | None:
    """Markdown as HTML; None where it has too many marks, or where references to long addresses make it huge."""
    if sum(1 for _ in _MARK.finditer(written)) > MAX_MARKS or _quoting(written) > MAX_QUOTING:
        return None
    env: dict[str, object] = {}
    tokens = _MARKDOWN.parse(written, env)
    if _weight(tokens) > limit:
        return None
    return str(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, env))


def _quoting(written: str) -> int:
    """How many lines markdown-it-py may look at for quotes: each > can make it read on to the next blank line."""
    return sum(block.count(">") * (block.count("\n") + block.count("\r")) for block in _BLANK_LINE.split(written))


def _weight(tokens: Iterable[Token]) -> int:
    """About how many characters the tokens make; a token with children is made of theirs."""
    return sum(
        sum(len(str(value)) for value in token.attrs.values()) + (_weight(token.children) if token.children else len(token.content))
        for token in tokens
    )
