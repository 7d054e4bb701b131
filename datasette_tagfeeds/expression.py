"""Boolean combinations of tags: parsed from an address, brought to one canonical form, written back. Tags are escaped here only.

expression = term *( "," term )                   OR
term       = factor *( "+" factor )               AND binds tighter
factor     = [ "-" ] ( tag / "(" expression ")" ) NOT
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes

from .errors import BadRequest, NotFound

# The suffixes that name a format; a tag that ends in one has its dot escaped.
FORMATS = ("atom", "rss", "json")
# What has a meaning in an address, and is written as ~XX in a tag.
STRUCTURAL = "%+,()/~?#"
MAX_TAGS = 8
MAX_DEPTH = 2


@dataclass(frozen=True)
class Tag:
    """The items that carry the tag."""

    name: str

    def __str__(self) -> str:
        return encode_tag(self.name)


@dataclass(frozen=True)
class Not:
    """The tagged items that the operand does not hold."""

    operand: "Expression"

    def __str__(self) -> str:
        return f"-({self.operand})" if isinstance(self.operand, Not) else f"-{_grouped(self.operand)}"


@dataclass(frozen=True)
class And:
    """The items that every operand holds."""

    operands: tuple["Expression", ...]

    def __str__(self) -> str:
        return "+".join(map(_grouped, self.operands))


@dataclass(frozen=True)
class Or:
    """The items that some operand holds."""

    operands: tuple["Expression", ...]

    def __str__(self) -> str:
        return ",".join(str(one) if isinstance(one, And) else _grouped(one) for one in self.operands)


Expression = Tag | Not | And | Or


def _grouped(one: Expression) -> str:
    return str(one) if isinstance(one, (Tag, Not)) else f"({one})"


def tags(expression: Expression) -> Iterator[str]:
    """The tags in the order in which they stand."""
    match expression:
        case Tag(name):
            yield name
        case Not(operand):
            yield from tags(operand)
        case And(operands) | Or(operands):
            for one in operands:
                yield from tags(one)


def in_words(expression: Expression, write: Callable[[str], str] = str, inner: bool = False) -> str:
    """python and not django; parentheses only where they are needed. `write` is how a tag is written."""
    match expression:
        case Tag(name):
            return write(name)
        case Not(operand):
            return f"not {in_words(operand, write, inner=True)}"
        case And(operands):
            words = " and ".join(in_words(one, write, inner=True) for one in operands)
        case Or(operands):
            words = " or ".join(in_words(one, write, inner=isinstance(one, Or)) for one in operands)
    return f"({words})" if inner else words


def is_bounded(expression: Expression) -> bool:
    """True where every item of the expression carries one of its tags, so that it need not range over all that is tagged."""
    match expression:
        case Tag():
            return True
        case Not():
            return False
        case And(operands):
            return any(map(is_bounded, operands))
        case Or(operands):
            return all(map(is_bounded, operands))


def with_tags(expression: Expression, rename: Callable[[str], str]) -> Expression:
    """The expression with every tag renamed, structure kept."""
    match expression:
        case Tag(name):
            return Tag(rename(name))
        case Not(operand):
            return Not(with_tags(operand, rename))
        case And(operands):
            return And(tuple(with_tags(one, rename) for one in operands))
        case Or(operands):
            return Or(tuple(with_tags(one, rename) for one in operands))


def canonical(expression: Expression) -> Expression:
    """The one form of all that say the same by order, repetition or needless grouping: flat, without doubles, sorted, NOT last."""
    match expression:
        case Tag():
            return expression
        case Not(operand):
            inner = canonical(operand)
            return inner.operand if isinstance(inner, Not) else Not(inner)
        case And(operands) | Or(operands):
            kind = type(expression)
            flat = [part for one in map(canonical, operands) for part in (one.operands if isinstance(one, kind) else (one,))]
            unique = sorted(set(flat), key=_order)
            return unique[0] if len(unique) == 1 else kind(tuple(unique))


def _order(one: Expression) -> tuple[bool, bool, tuple[str, ...], str]:
    inner = one.operand if isinstance(one, Not) else one
    return isinstance(one, Not), not isinstance(inner, Tag), tuple(tags(one)), str(one)


def parse(segment: str) -> Expression:
    """The expression that a raw path segment spells. Raises BadRequest for what is none, or is larger than the limits."""
    parser = _Parser(segment)
    expression = parser.alternatives(0)
    if parser.rest:
        raise parser.error(f"“{parser.rest[0]}” stands where the expression should end")
    if len(list(tags(expression))) > MAX_TAGS:
        raise BadRequest(f"An expression combines at most {MAX_TAGS} tags.")
    return expression


class _Parser:
    """Reads a segment's tokens from left to right."""

    def __init__(self, segment: str) -> None:
        self.segment = segment
        self.rest = re.findall(r"[+,()]|[^+,()]+", segment)

    def error(self, problem: str) -> BadRequest:
        return BadRequest(f"“{self.segment}” is no combination of tags: {problem}. In a tag, + , ( ) are written ~2B ~2C ~28 ~29.")

    def alternatives(self, depth: int) -> Expression:
        return self._joined(",", Or, lambda: self._joined("+", And, lambda: self._factor(depth)))

    def _joined(self, sign: str, kind: type[And] | type[Or], part: Callable[[], Expression]) -> Expression:
        parts = [part()]
        while self.rest[:1] == [sign]:
            self.rest.pop(0)
            parts.append(part())
        return parts[0] if len(parts) == 1 else kind(tuple(parts))

    def _factor(self, depth: int) -> Expression:
        token = self.rest[0] if self.rest else ""
        if token == "-":
            self.rest.pop(0)
            return Not(self._group(depth))
        if token == "(":
            return self._group(depth)
        if not token or token in "+,)":
            raise self.error("a tag is missing" + (f" before “{token}”" if token else " at the end"))
        self.rest.pop(0)
        return Not(_tag(token[1:], self)) if token.startswith("-") else _tag(token, self)

    def _group(self, depth: int) -> Expression:
        if self.rest[:1] != ["("]:
            raise self.error("a tag is missing after “-”")
        if depth == MAX_DEPTH:
            raise BadRequest(f"An expression has at most {MAX_DEPTH} levels of parentheses.")
        self.rest.pop(0)
        inner = self.alternatives(depth + 1)
        if self.rest[:1] != [")"]:
            raise self.error("a parenthesis is not closed")
        self.rest.pop(0)
        return inner


def _tag(token: str, parser: _Parser) -> Tag:
    if token.startswith("-"):
        raise parser.error("“--” stands before a tag")
    return Tag(decode_tag(token))


@lru_cache(maxsize=20_000)
def encode_tag(tag: str) -> str:
    """The tag as a path segment in its one canonical spelling (RFC 3986 §3.3): `c~2B~2B`, `a~2Fb`, `caf%C3%A9`."""
    if tag in (".", ".."):
        return "~2E" * len(tag)
    written = "".join(f"~{ord(char):02X}" if char in STRUCTURAL else quote(char, safe="") for char in tag)
    if tag[:1] in ("-", "@"):
        written = f"~{ord(tag[0]):02X}" + written.removeprefix(quote(tag[0], safe=""))
    stem, dot, suffix = written.rpartition(".")
    return f"{stem}~2E{suffix}" if dot and suffix in FORMATS else written


def decode_tag(spelt: str) -> str:
    """The tag that a part of a raw path segment spells, escaped either way. Raises BadRequest for what is none."""
    if spelt.startswith("@"):
        raise NotFound(f"There is no named expression “{spelt}”. A tag that begins with @ is written with ~40.")
    # %7E is ~ (RFC 3986 §2.3), so proxies may write one for the other.
    tilde = re.sub(r"%7e(?=[0-9A-Fa-f]{2})", "~", spelt, flags=re.I)
    try:
        tag = unquote_to_bytes(re.sub(r"~(?=[0-9A-Fa-f]{2})", "%", tilde)).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest("The address is not UTF-8.") from error
    if not tag.strip():
        raise BadRequest("There is no tag in this address.")
    return tag


def split_format(segment: str) -> tuple[str, str | None]:
    """The stem of a raw path segment and its format; None for a page."""
    stem, dot, suffix = segment.rpartition(".")
    return (stem, suffix) if dot and suffix in FORMATS else (segment, None)
