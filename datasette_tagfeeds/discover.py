"""What a table's own names and foreign keys say, for what the settings leave out."""

import re
from collections.abc import Iterable, Iterator

from .model import ForeignKey, Schema, Table
from .sources.join_table import JoinTable

# Column names by field, the likeliest first.
COLUMN_NAMES = {
    "title": ("title", "headline", "name", "subject", "label"),
    "published": ("published", "published_at", "pub_date", "date_published", "created", "created_at", "date", "posted_at", "timestamp"),
    "updated": ("updated", "updated_at", "modified", "modified_at", "last_modified", "date_modified"),
}
# The names of the rowid (https://sqlite.org/lang_createtable.html#rowid).
ROWIDS = ("rowid", "_rowid_", "oid")
TAG_NAMES = ("tag", "name", "title", "label", "slug", "keyword", "topic", "category", "text")
_ABOUT_TAGS = re.compile(r"tag|topic|categor|keyword|label|subject", re.I)
_DATE_NAME = re.compile(r"(?:^|_)(?:date|datetime|time|timestamp|created|updated|modified|published|posted)(?:$|_)|_(?:at|on)$", re.I)


def column_for(field: str, columns: Iterable[str]) -> str | None:
    """The column that a field's usual names point to, letter case aside."""
    return _first_named(COLUMN_NAMES.get(field, ()), columns)


def is_date(column: str, declared: str) -> bool:
    """True where a column's name or declared type says that it holds dates, so that expressions get them parsed."""
    return bool(_DATE_NAME.search(column) or re.search(r"date|timestamp", declared, re.I))


def tag_name_column(table: Table) -> str | None:
    """The column of a tag table that holds the tag itself: by name, else the only text column."""
    texts = [name for name, declared in table.columns.items() if re.search("char|text|clob", declared, re.I)]
    return _first_named(TAG_NAMES, table.columns) or (texts[0] if len(texts) == 1 else None)


def join_tables(item: Table, schema: Schema) -> Iterator[JoinTable]:
    """The join tables whose foreign keys tie this table to one that is about tags by its name or the join's."""
    for join in schema.values():
        for to_item in join.foreign_keys:
            if to_item.other_table.casefold() != item.name.casefold():
                continue
            for to_tag in join.foreign_keys:
                tag = table_named(to_tag.other_table, schema)
                if not tag or tag.name == item.name or not _about_tags(item, join, tag):
                    continue
                if name := tag_name_column(tag):
                    yield join_table(item, join, to_item, to_tag, tag, name)


def _about_tags(item: Table, join: Table, tag: Table) -> bool:
    return bool(_ABOUT_TAGS.search(tag.name) or (_ABOUT_TAGS.search(join.name) and not _ABOUT_TAGS.search(item.name)))


def join_table(item: Table, join: Table, to_item: ForeignKey, to_tag: ForeignKey, tag: Table, name: str) -> JoinTable:
    """The shape that two foreign keys of a join table make; a key without a column refers to the primary key."""
    tag_key = to_tag.other_column or key_of(tag)
    return JoinTable(
        item_table=item.name,
        item_key=key_of(item),
        item_referenced=to_item.other_column or key_of(item),
        join=join.name,
        item_column=to_item.column,
        tag_column=to_tag.column,
        tag_table=tag.name,
        tag_key=tag_key,
        tag_name=name,
        order=(tag.name, key_of(tag)),
    )


def key_of(table: Table) -> str:
    """The column that identifies a row: the primary key of one column, else the rowid, by a name that no column has taken."""
    taken = {column.lower() for column in table.columns}
    return table.primary_key[0] if len(table.primary_key) == 1 else next((name for name in ROWIDS if name not in taken), ROWIDS[0])


def table_named(name: str, schema: Schema) -> Table | None:
    """The table of that name, ASCII case aside, as SQLite looks it up."""
    return schema.get(name) or next((table for table in schema.values() if table.name.lower() == name.lower()), None)


def _first_named(names: Iterable[str], columns: Iterable[str]) -> str | None:
    known = {column.lower(): column for column in reversed(list(columns))}
    return next((known[name] for name in names if name in known), None)
