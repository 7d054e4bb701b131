"""The one interface of all storage shapes: what is tagged, and what carries a tag."""

from ..model import Taggings
from ..sql import equals_tag, is_tag, tag_text


def tagged(shape: Taggings, *tests: str) -> str:
    """SELECT item, tag, position: every tagging that passes the tests, duplicates allowed. `tag` is text, never blank; `item` is never NULL."""
    return (
        f"select {shape.item} as item, {tag_text(shape.tag)} as tag, {shape.position} as position"
        f" from {shape.tables} where {_tests(shape, is_tag(shape.tag), *tests)}"
    )


def carrying(shape: Taggings, parameter: str) -> str:
    """SELECT item: what carries the tag bound as `parameter` (see `sql.bind_tag`)."""
    narrow = [f":{parameter}".join(shape.narrow)] if shape.narrow else []
    tests = _tests(shape, *narrow, equals_tag(shape.tag, parameter), is_tag(shape.tag))
    return f"select {shape.item} as item from {shape.tables} where {tests}"


def _tests(shape: Taggings, *more: str) -> str:
    return " and ".join([*shape.tests, *more, f"{shape.item} is not null"])
