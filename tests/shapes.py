"""The same posts in a database, their tags stored in each of the ways that people use."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Post:
    """A row with its tags; `created` as it is stored."""

    key: int
    created: object
    tags: tuple[str, ...]
    draft: bool = False

    @property
    def title(self) -> str:
        """Post 3."""
        return f"Post {self.key}"


Statements = Iterable[tuple[str, tuple[Any, ...]]]
PLAIN = "create table post (id integer primary key, title text, created text, is_draft integer not null default 0{more})"


def _posts(posts: Iterable[Post], column: Callable[[Post], object] | None = None) -> Statements:
    yield PLAIN.format(more=", tags" if column else ""), ()
    for post in posts:
        values = (post.key, post.title, post.created, int(post.draft), *([column(post)] if column else []))
        yield f"insert into post values ({', '.join('?' * len(values))})", values


def _names(posts: Iterable[Post]) -> list[str]:
    return sorted({tag for post in posts for tag in post.tags})


def _join(posts: list[Post], tables: str = "", item: str = "integer references post(id)") -> Statements:
    yield from _posts(posts)
    yield "create table tag (id integer primary key, tag text unique)", ()
    yield tables or f"create table post_tags (post_id {item}, tag_id integer references tag(id))", ()
    names = _names(posts)
    yield from (("insert into tag values (?, ?)", (number, name)) for number, name in enumerate(names, 1))
    yield from (("insert into post_tags values (?, ?)", (post.key, names.index(tag) + 1)) for post in posts for tag in post.tags)


def _rows(posts: list[Post]) -> Statements:
    yield from _posts(posts)
    yield "create table post_tag (post_id integer, tag text)", ()
    yield from (("insert into post_tag values (?, ?)", (post.key, tag)) for post in posts for tag in post.tags)


def _generic(posts: list[Post]) -> Statements:
    """Rails: beside the posts, photos with the same ids and one tag more."""
    yield from _posts(posts)
    yield "create table photos (id integer primary key, note text)", ()
    yield "create table tags (id integer primary key, name text)", ()
    yield "create table taggings (id integer primary key, tag_id integer, taggable_type text, taggable_id integer, context text)", ()
    names = _names(posts)
    yield from (("insert into tags values (?, ?)", (number, name)) for number, name in enumerate([*names, "photo"], 1))
    for post in posts:
        for tag in post.tags:
            yield (
                "insert into taggings (tag_id, taggable_type, taggable_id, context) values (?, 'Post', ?, 'tags')",
                (names.index(tag) + 1, post.key),
            )
        yield "insert into photos values (?, null)", (post.key,)
        yield (
            "insert into taggings (tag_id, taggable_type, taggable_id, context) values (?, 'Photo', ?, 'tags')",
            (len(names) + 1, post.key),
        )


def _slugs(posts: list[Post]) -> Statements:
    """Join rows that name posts by a slug, and tags by a name."""
    yield "create table post (id integer primary key, title text, created text, is_draft integer not null default 0, slug text unique)", ()
    yield from (("insert into post values (?, ?, ?, ?, ?)", (p.key, p.title, p.created, int(p.draft), f"s{p.key}")) for p in posts)
    yield "create table tag (name text primary key)", ()
    yield (
        "create table post_tags (post text references post(slug), tag text references tag(name), primary key (post, tag)) without rowid",
        (),
    )
    yield from (("insert into tag values (?)", (name,)) for name in _names(posts))
    yield from (("insert into post_tags values (?, ?)", (f"s{post.key}", tag)) for post in posts for tag in post.tags)


def _compound(posts: list[Post]) -> Statements:
    """Posts with a key of two columns, and no rowid."""
    yield (
        "create table post (id integer, lang text, title text, created text, is_draft integer, tags text, primary key (id, lang)) without rowid",
        (),
    )
    for post in posts:
        yield "insert into post values (?, 'en', ?, ?, ?, ?)", (post.key, post.title, post.created, int(post.draft), json.dumps(post.tags))


def _view(posts: list[Post]) -> Statements:
    yield from _rows(posts)
    yield "create view tagged as select post.*, tag from post join post_tag on post_id = post.id", ()


def _parted(split: str, around: tuple[str, str] = ("", "")) -> Callable[[list[Post]], Statements]:
    return lambda posts: _posts(posts, lambda post: around[0] + split.join(post.tags) + around[1] if post.tags else None)


def _source(**more: Any) -> dict[str, Any]:
    return {"post": {"where": "is_draft = 0", "published": "created", "title": "title", **more}}


# Each: the statements that make it, and the sources that say how it is stored.
SHAPES: dict[str, tuple[Callable[[list[Post]], Statements], dict[str, Any]]] = {
    "join table": (_join, _source(tags="post_tags")),
    "join table with a key of two": (
        lambda posts: _join(posts, "create table post_tags (post_id integer, tag_id integer, primary key (post_id, tag_id)) without rowid"),
        _source(tags={"join": "post_tags", "item": "post_id", "tag": "tag_id", "name": "tag.tag"}),
    ),
    "join table by slugs": (_slugs, _source(tags="post_tags")),
    "rows": (_rows, _source(tags={"table": "post_tag", "item": "post_id", "tag": "tag"})),
    "generic relation": (
        _generic,
        _source(
            tags={
                "table": "taggings",
                "item": "taggable_id",
                "tag": "tag_id",
                "name": "tags.name",
                "type_column": "taggable_type",
                "type": "Post",
            }
        ),
    ),
    "JSON": (lambda posts: _posts(posts, lambda post: json.dumps(post.tags)), _source(tags="tags")),
    "JSON objects": (
        lambda posts: _posts(posts, lambda post: json.dumps([{"slug": "x", "name": tag} for tag in post.tags])),
        _source(tags="tags"),
    ),
    "commas": (_parted(", "), _source(tags={"column": "tags", "split": ","})),
    "spaces": (_parted(" ", (" ", " ")), _source(tags={"column": "tags", "split": " "})),
    "lines": (_parted("\n"), _source(tags={"column": "tags", "split": "\n"})),
    "angles": (_parted("><", ("<", ">")), _source(tags={"column": "tags", "split": "<>"})),
    "Python list": (lambda posts: _posts(posts, lambda post: repr(list(post.tags))), _source(tags={"column": "tags", "split": "[]"})),
    "PostgreSQL array": (
        lambda posts: _posts(posts, lambda post: "{" + ",".join(f'"{tag}"' for tag in post.tags) + "}"),
        _source(tags={"column": "tags", "split": "{}"}),
    ),
    "hashtags": (
        lambda posts: _posts(posts, lambda post: " ".join(f"#{tag}" for tag in post.tags)),
        _source(tags={"column": "tags", "split": "#"}),
    ),
    "key of two columns": (_compound, _source(tags="tags")),
    "view": (_view, {"tagged": {"where": "is_draft = 0", "published": "created", "title": "title", "tags": "tag"}}),
    "sql": (_rows, _source(sql="select post_id as item, tag from post_tag")),
}
