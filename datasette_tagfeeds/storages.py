"""The ways in which the tables of a database are tagged: by names and keys that suggest, and values that decide."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .columns import found_fields, plain
from .looks import JSON, SINGLE, storage_of
from .model import ForeignKey, Schema, Table
from .sql import quote
from .survey import about_tags, forms, item_key

TAG_NAMES = ("tag", "name", "title", "label", "slug", "keyword", "topic", "category", "text", "term", "tag_name", "tagname", "word")
ORDERS = ("position", "sort_order", "sortorder", "sort_value", "sort", "weight", "rank", "ordering", "seq")
# Who tags, rather than what is tagged.
_ACCOUNTS = frozenset(["user", "users", "account", "accounts", "tagger", "owner", "owners"])
_SECRET = re.compile(r"passw|secret|^token$|accesstoken|apikey|privatekey|^salt$|^ssn$|^iban$|creditcard|salary")
# Where texts of their own are, a row is an item and not only a tie between two.
_ITEM_COLUMNS = frozenset(
    ["title", "headline", "subject", "body", "content", "html", "text", "url", "href", "link", "description", "excerpt", "slug"]
)


@dataclass(frozen=True)
class Storage:
    """One way in which a table's rows are tagged: the settings for it, its worth against others, and the tables that serve it."""

    table: str
    settings: Mapping[str, object]
    worth: tuple[int, ...]
    why: str
    uses: frozenset[str] = frozenset()
    column: str | None = None


def storages(table: Table, schema: Schema) -> list[Storage]:
    """The ways in which one table's rows are tagged, the best first."""
    return [one for one in every_storage(schema) if one.table == table.name]


def _best_first(found: Iterable[Storage]) -> list[Storage]:
    """Of equal worth, the shorter settings first: post_tags before post_tags_old."""
    return sorted(found, key=lambda one: (tuple(-worth for worth in one.worth), len(str(one.settings)), str(one.settings)))


def table_named(name: str, schema: Schema) -> Table | None:
    """The table of that name, ASCII case aside, as SQLite looks it up."""
    return schema.get(name) or next((table for table in schema.values() if table.name.lower() == name.lower()), None)


def resolved(one: ForeignKey, schema: Schema) -> ForeignKey | None:
    """The key with the columns that it refers to, spelt as they are; None where they do not exist."""
    other = table_named(one.other_table, schema)
    if not other:
        return None
    columns = one.other_columns or other.primary_key or item_key(other)
    if len(columns) != len(one.columns) or not set(one.other_columns) <= set(other.columns):
        return None
    return ForeignKey(one.columns, other.name, tuple(columns), one.declared)


def tag_name_column(table: Table) -> str | None:
    """The column of a tag table that holds the tag itself: by name, else the only text column."""
    texts = [name for name, declared in table.columns.items() if re.search("char|text|clob", declared, re.I)]
    known = {plain(column): column for column in reversed(list(table.columns))}
    own = (f"{form}name" for form in forms(table.name.rpartition("_")[2]))
    return next((known[plain(name)] for name in (*TAG_NAMES, *own) if plain(name) in known), texts[0] if len(texts) == 1 else None)


def order_column(join: Table) -> str | None:
    """The column of a join table that orders an item's tags."""
    return next((column for column in join.columns if column.lower() in ORDERS), None)


def every_storage(schema: Schema) -> list[Storage]:
    """All the ways in which any table of the database is tagged, the best first."""
    return _best_first(_storages(schema))


def _storages(schema: Schema) -> Iterator[Storage]:
    for table in schema.values():
        if not table.is_view and not table.unreadable:
            yield from _ties(table, schema)
            yield from _generic(table, schema)
            yield from _tag_rows(table, schema)
            yield from _wordpress(table, schema)
        yield from _columns(table)


def _strength(name: str) -> int:
    """How much a name speaks of tags: 3 for tags, 2 for topics and keywords, 1 for what may be something else."""
    if not about_tags(name):
        return 0
    return 3 if re.search(r"tag", name, re.I) else 2 if re.search(r"topic|keyword", name, re.I) else 1


def _is_tie(table: Table) -> bool:
    """True for a table that only ties others together."""
    return not _ITEM_COLUMNS & {plain(column) for column in table.columns} and len(table.columns) <= 12


def pairs(join: Table, schema: Schema) -> Iterator[tuple[ForeignKey, ForeignKey, str]]:
    """(to item, to tag, the tag's column) of a table that ties items to tags."""
    keys = [key for one in join.foreign_keys if (key := resolved(one, schema))]
    tags = [key for key in keys if _strength(key.other_table)] or (keys if about_tags(join.name) else [])
    strongest = max((_strength(key.other_table) for key in tags), default=0)
    for to_tag in tags:
        name = tag_name_column(schema[to_tag.other_table])
        items = [key for key in keys if key.other_table != to_tag.other_table and _may_be_tagged(key.other_table, strongest)]
        things = [key for key in items if not _ACCOUNTS & forms(key.other_table.rpartition("_")[2])]
        if name and _strength(to_tag.other_table) == strongest and (strongest or len(schema[to_tag.other_table].columns) <= 3):
            yield from ((to_item, to_tag, name) for to_item in things)


def _may_be_tagged(table: str, strongest: int) -> bool:
    """True for a table that is not one of tags itself; topics may be either."""
    own = _strength(table)
    return own == 0 or (own < strongest and "topic" in table.lower())


def _ties(join: Table, schema: Schema) -> Iterator[Storage]:
    found = list(pairs(join, schema)) if _is_tie(join) and not _typed(join) else []
    for to_item, to_tag, _ in found:
        plainly = to_item.declared and to_tag.declared and sum(one[0].other_table == to_item.other_table for one in found) == 1
        spelt = {"join": join.name, "item": _one(to_item.columns), "tag": _one(to_tag.columns)}
        if not to_tag.declared:
            spelt["name"] = f"{to_tag.other_table}.{tag_name_column(schema[to_tag.other_table])}"
        named = max(_strength(to_tag.other_table), _strength(join.name) - 1)
        worth = (named, 2, bool(join.sample), to_item.declared + to_tag.declared, _strength(join.name))
        order = order_column(join)
        settings = {"tags": join.name if plainly else spelt, **({"order": order} if order else {})}
        yield Storage(to_item.other_table, settings, worth, f"the table {join.name}", frozenset([join.name, to_tag.other_table]))


def _one(columns: tuple[str, ...]) -> object:
    return columns[0] if len(columns) == 1 else list(columns)


def _typed(table: Table) -> tuple[str, str] | None:
    """The columns (type, id) of a table that refers to rows of many tables: Rails' and Django's generic relations."""
    names = {column.lower(): column for column in table.columns}
    if "content_type_id" in names and "object_id" in names:
        return names["content_type_id"], names["object_id"]
    pairs = ((name, f"{name[: -len('_type')]}_id") for name in names if name.endswith("_type") and name != "tagger_type")
    return next(((names[kind], names[key]) for kind, key in pairs if key in names), None)


def _generic(table: Table, schema: Schema) -> Iterator[Storage]:
    typed = _typed(table)
    keys = [key for one in table.foreign_keys if (key := resolved(one, schema)) and _strength(key.other_table)]
    if not typed or not keys:
        return
    kind, item = typed
    context = _context(table)
    for value, other in _types(table, kind, schema):
        tags: dict[str, object] = {"table": table.name, "item": item, "tag": keys[0].columns[0], "type_column": kind, "type": value}
        if not keys[0].declared:
            tags["name"] = f"{keys[0].other_table}.{tag_name_column(schema[keys[0].other_table])}"
        if context:
            tags["only"] = context
        yield Storage(
            other.name,
            {"tags": tags},
            (3, 2, bool(table.sample), 2, 3),
            f"the table {table.name}",
            frozenset([table.name, keys[0].other_table]),
        )


def _types(table: Table, column: str, schema: Schema) -> Iterator[tuple[object, Table]]:
    """The values of the type column, with the table that each means."""
    models = schema.get("django_content_type")
    if column.lower() == "content_type_id" and models:
        for row in models.sample:
            if other := schema.get(f"{row.get('app_label')}_{row.get('model')}"):
                yield row["id"], other
        return
    for value in table.words.get(column, ()):
        meant = forms(re.sub(r".*::", "", str(value))) | forms(str(value).replace("::", "_"))
        for other in schema.values():
            if forms(other.name) & meant and not other.is_view:
                yield value, other
                break


def _context(table: Table) -> dict[str, object] | None:
    """Rails keeps several lists of words in one table, told apart by `context`; that of tags is called so."""
    column = next((column for column in table.columns if column.lower() == "context"), None)
    contexts = list(table.words.get(column or "", ()))
    if not column or len(contexts) < 2:
        return None
    return {column: "tags" if "tags" in contexts else contexts[0]}


def _tag_rows(table: Table, schema: Schema) -> Iterator[Storage]:
    if not _is_tie(table) or _typed(table):
        return
    keys = [key for one in table.foreign_keys if (key := resolved(one, schema))]
    if any(_strength(key.other_table) == 3 for key in keys):
        return
    referring = {column for key in keys for column in key.columns}
    column = next((name for name in table.columns if name not in referring and table.words.get(name) and _strength(name) >= 2), None)
    if not column and _strength(table.name) == 3:
        column = next((name for name in table.columns if plain(name) in ("name", "value", "word", "text") and name not in referring), None)
    values = table.words.get(column or "", ())
    # A row whose column holds several tags is an item of its own; where no word ever comes again, they are names.
    if storage_of(values, True)[0] not in (None, SINGLE) or len(set(values)) == len(values) > 4:
        return
    items = [key for key in keys if not _ACCOUNTS & forms(key.other_table.rpartition("_")[2]) and not _strength(key.other_table)]
    if column and items and len(table.columns) <= 6:
        tags = {"table": table.name, "item": _one(items[0].columns), "tag": column}
        yield Storage(
            items[0].other_table,
            {"tags": tags},
            (3, 1, bool(table.sample), items[0].declared, 0),
            f"the table {table.name}",
            frozenset([table.name]),
        )


def _wordpress(table: Table, schema: Schema) -> Iterator[Storage]:
    """WordPress, whose terms are tags or categories by a table between the relationships and their names."""
    prefix = table.name.removesuffix("term_relationships")
    between, terms, posts = (schema.get(prefix + name) for name in ("term_taxonomy", "terms", "posts"))
    if prefix == table.name or not (between and terms and posts):
        return
    sql = (
        f"select r.object_id as item, t.name as tag from {quote(table.name)} as r"
        f" join {quote(between.name)} as x on x.term_taxonomy_id = r.term_taxonomy_id"
        f" join {quote(terms.name)} as t on t.term_id = x.term_id where x.taxonomy = 'post_tag'"
    )
    yield Storage(posts.name, {"sql": sql}, (3, 3, 1, 0, 0), f"the table {table.name}", frozenset([table.name, between.name, terms.name]))


def _columns(table: Table) -> Iterator[Storage]:
    strong = [column for column in table.columns if is_tag_column(column) and _strength(column) == 3]
    if not item_key(table):
        return
    for column, values in table.words.items():
        if not is_tag_column(column) or (len(strong) > 1 and column in strong and plain(column) != "tags"):
            continue
        form, _ = storage_of(values, is_plural(column))
        if form is None or (form == SINGLE and not _may_be_single(table, column)) or not _is_item(table):
            continue
        tags: object = column if form in (JSON, SINGLE) else {"column": column, "split": form}
        worth = (_strength(column), 1 if form == SINGLE else 2, 1, 0, 0)
        yield Storage(table.name, {"tags": tags}, worth, f"the column {column}", column=column)


def holds_secrets(table: Table) -> bool:
    """True for a table of credentials, or of people: what is tagged there is nobody's feed."""
    names = {plain(column) for column in table.columns}
    shown = {"title", "posttitle", "subject", "headline", "body", "content", "postcontent", "url", "link"}
    people = any(name.startswith("email") for name in names) and not names & shown
    return people or (any(map(_SECRET.search, names)) and not names & shown) or bool(_ACCOUNTS & forms(table.name.rpartition("_")[2]))


def _is_item(table: Table) -> bool:
    """True for a table with something to show: a title, a text, a link, a date, or a key in words."""
    key = [row.get(column) for row in table.sample[:1] for column in table.primary_key]
    return any(isinstance(value, str) for value in key) or bool(found_fields(table.columns, table.sample))


def is_tag_column(column: str) -> bool:
    """True for a column that is called after tags, not only begins so: tag_list, but not tag_how_we_work or tag1."""
    if re.search(r"^id[A-Z_]|_ids?$|[a-z]Ids?$", column):
        return False
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", column)]
    while words and words[-1] in ("list", "json", "array", "text", "name", "names", "string", "str", "csv"):
        words.pop()
    return (bool(words) and about_tags(words[-1])) or (about_tags(column) and len(words) == 0)


def is_plural(column: str) -> bool:
    """True for a column whose name says that it holds several."""
    return bool(re.search(r"s$|list|json|array|text|string|csv", column, re.I))


def _may_be_single(table: Table, column: str) -> bool:
    """One word a row makes an item only of what has a title, and something to read, to follow or to order it by."""
    if len(re.findall(r"[A-Z]?[a-z]+", column)) > 1 and not re.match(r"main|primary|post|article|item", column, re.I):
        return False
    return "title" in (found := found_fields(table.columns, table.sample, [column])) and len(found) > 1
