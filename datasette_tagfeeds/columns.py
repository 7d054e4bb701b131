"""Which columns of a table are an entry's fields, by their names and by what they hold, and which rows nobody means to publish."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timezone
from functools import lru_cache

from .dates import looks_like_dates, parse
from .looks import is_data, is_image, is_url, markup_of, share_of
from .model import Row
from .sql import literal, quote

# Column names by field, letter case and underscores aside, the likeliest first.
NAMES = {
    "title": "title headline subject posttitle linktitle pagetitle entrytitle name displayname heading caption label sfld metadata",
    "published": "published publishedat publishedon datepublished pubdate publicationdate publishdate firstpublishedat postedat posted dateposted"
    " postdategmt postdate created createdat createdon createdutc creationdate datecreated createdtime createdate usercreatedtime dateadded added"
    " addedat addedon addeddate insertedat submittedat savedat date datetime time timestamp pubdatetime start startsat startdate starttime when",
    "updated": "updated updatedat updatedon modified modifiedat modifiedon lastmodified datemodified lastmod dateupdated lastpublishedat updatedtime"
    " userupdatedtime postmodifiedgmt lasteditdate lastupdated changed",
    "content": "html bodyhtml contenthtml content body text markdown contentmarkdown postcontent article fulltext description commentary story"
    " introduction intro extended notes note comment desc abstract quotation quote answer flds summary excerpt",
    "summary": "summary excerpt standfirst teaser abstract customexcerpt postexcerpt",
    "link": "url link href permalink htmlurl weburl uri externalurl canonicalurl linkurl",
    "author": "author authorname byline creator writer",
    "image": "image imageurl thumbnail thumbnailurl featureimage coverimage cover cardimage photo photourl picture ogimage heroimage",
}
# Names that mean their field whatever the rows hold, so that what cannot be read is counted, and not passed over.
_OTHER_TITLE = re.compile(r"^title$|sub|seo|meta|draft|job|og|alt")
_CERTAIN = frozenset("title headline published publishedat pubdate created createdat updated updatedat modified".split())
_DATE_NAME = re.compile(r"(?:^|_)(?:date|datetime|time|timestamp|created|updated|modified|published|posted)(?:$|_)|_(?:at|on)$", re.I)
_NOT_PUBLISHED = re.compile(
    r"expir|delet|birth|death|end|due|until|valid|last|edit|update|modif|read|sync|seen|check|import|fetch|unpublish", re.I
)

_HIDES = frozenset(
    [
        "isdraft",
        "draft",
        "private",
        "isprivate",
        "hidden",
        "ishidden",
        "deleted",
        "isdeleted",
        "trashed",
        "istrashed",
        "spam",
        "isspam",
        "removed",
        "isremoved",
        "ismoderated",
    ]
)
_SHOWS = frozenset(
    ["published", "ispublished", "public", "ispublic", "live", "islive", "visible", "isvisible", "shared", "isshared", "active", "isactive"]
)
_STATES = frozenset(["status", "state", "visibility", "poststatus", "publishstatus", "publicationstatus", "privacystatus", "privacy"])
# Columns that say who may see a row: where their values are not understood, nobody unasked.
_AUDIENCES = frozenset(["visibility", "privacy", "privacystatus", "privacylevel", "accesslevel", "audience"])
_MOMENTS = frozenset(["deletedat", "deletedon", "deletedtime", "datedeleted", "trashedat"])
_YES, _NO = frozenset(("1", "true", "t", "yes", "y")), frozenset(("0", "false", "f", "no", "n", ""))
_SHOWN = frozenset(["published", "publish", "public", "pub", "pb", "p", "live", "posted", "visible", "active", "approved"])
_UNSHOWN = frozenset(
    [
        "draft",
        "df",
        "d",
        "drafts",
        "private",
        "pr",
        "hidden",
        "deleted",
        "trash",
        "trashed",
        "archived",
        "unlisted",
        "scheduled",
        "future",
        "pending",
        "inherit",
        "auto-draft",
        "unpublished",
        "members",
        "paid",
        "tiers",
        "direct",
        "sent",
        "review",
        "rejected",
        "spam",
        "password",
        "internal",
    ]
)


@lru_cache(maxsize=10_000)
def plain(name: str) -> str:
    """A column's name, letter case and separators aside."""
    return re.sub(r"[\W_]+", "", name).lower()


def is_date(column: str, declared: str) -> bool:
    """True where a column's name or declared type says that it holds dates, so that expressions get them parsed."""
    return bool(_DATE_NAME.search(column) or re.search(r"date|timestamp", declared, re.I))


def found_fields(columns: Mapping[str, str], rows: Sequence[Row], taken: Iterable[str] = ()) -> dict[str, str]:
    """The settings of fields: {field: column}, with the content under html, markdown or text. `taken` columns serve for something else."""
    free = {name: declared for name, declared in columns.items() if name not in set(taken)}
    found: dict[str, str] = {}
    for field, test in _LOOKS.items():
        names = [name for name in _named(field, free) if name not in found.values()]
        fitting = iter(_usual_first(field, [name for name in names if test([row.get(name) for row in rows])], rows))
        certain = (name for name in names if plain(name) in _CERTAIN and not _is_flag([row.get(name) for row in rows]))
        if column := next(fitting, None) or next(certain, None):
            found[field] = column
    if "published" not in found and (column := _any_date(free, rows, found.values())):
        found["published"] = column
    if content := found.pop("content", None):
        found[markup_of(row.get(content) for row in rows)] = content
    return found


def _usual_first(field: str, names: list[str], rows: Sequence[Row]) -> list[str]:
    """The names in order; for dates, first those that most rows have, and that lie in the age of the web: a book's first edition does not."""
    if field != "published":
        return names
    values = {name: [row.get(name) for row in rows] for name in names}
    return sorted(names, key=lambda name: bool(rows) and not (_mostly_given(values[name]) and _mostly_recent(values[name])))


def _mostly_given(values: Sequence[object]) -> bool:
    return sum(value is not None and value != "" for value in values) >= 0.5 * len(values)


def _mostly_recent(values: Sequence[object]) -> bool:
    moments = [moment for value in values if (moment := parse(value, timezone.utc))]
    return sum(moment.year >= 1990 for moment in moments) >= 0.8 * len(moments)


def _named(field: str, columns: Iterable[str]) -> Iterator[str]:
    """The columns with one of the field's names, then, for titles, those that end in one: nameOfTitle, de_title."""
    known = {plain(name): name for name in reversed(list(columns))}
    yield from (known[name] for name in NAMES[field].split() if name in known)
    if field == "title" and "extended" in known and "description" in known:
        yield known["description"]  # del.icio.us called a title description, and a description extended
    if field == "title":
        yield from (name for name in columns if plain(name).endswith("title") and not _OTHER_TITLE.search(plain(name)))


def _filled(values: Sequence[object], of: Callable[[object], bool]) -> bool:
    """True where some values are given and nearly all of them pass; also where there are no rows to judge from."""
    given = [value for value in values if value is not None and value != ""]
    return not values or (bool(given) and sum(map(of, given)) >= 0.8 * len(given))


def _is_title(values: Sequence[object]) -> bool:
    return _filled(values, lambda value: isinstance(value, str) and len(value) <= 500 and not is_data(value))


def _is_content(values: Sequence[object]) -> bool:
    return _filled(values, lambda value: isinstance(value, str) and not is_data(value) and not is_url(value))


def _is_words(values: Sequence[object]) -> bool:
    return _filled(values, lambda value: isinstance(value, str) and len(value) <= 200 and not is_data(value) and not value.isdigit())


def _are_dates(values: Sequence[object]) -> bool:
    return not values or looks_like_dates(values) >= 0.5


def _is_flag(values: Sequence[object]) -> bool:
    return any(value is not None for value in values) and all(value is None or str(value).lower() in _YES | _NO for value in values)


_LOOKS: dict[str, Callable[[Sequence[object]], bool]] = {
    "title": _is_title,
    "published": _are_dates,
    "updated": _are_dates,
    "link": lambda values: share_of(values, is_url) >= 0.8,
    "content": _is_content,
    "summary": _is_content,
    "author": _is_words,
    "image": lambda values: share_of(values, is_image) >= 0.8,
}


def _any_date(columns: Mapping[str, str], rows: Sequence[Row], taken: Iterable[str]) -> str | None:
    """A column of dates by its name or declared type that is about the beginning of an item, where no usual name was found."""
    names = [
        name for name, declared in columns.items() if is_date(name, declared) and not _NOT_PUBLISHED.search(name) and name not in taken
    ]
    return next((name for name in names if rows and looks_like_dates(row.get(name) for row in rows) >= 0.8), None)


def predicate(columns: Iterable[str], rows: Sequence[Row]) -> str | None:
    """The SQL of the rows that are meant to be seen, where columns such as is_draft or status say which those are."""
    tests = [test for column in columns if (test := _test(column, [row.get(column) for row in rows]))]
    return " and ".join(tests) or None


def unclear(columns: Iterable[str], rows: Sequence[Row]) -> str:
    """The column that says who may see a row in a way that is not understood, as a sentence; '' for none."""
    for column in columns:
        given = sorted({str(row.get(column)) for row in rows if row.get(column) is not None})
        if plain(column) in _AUDIENCES and given and not _test(column, [row.get(column) for row in rows]):
            return f"column {column} says who may see a row, and it is not clear how ({', '.join(given[:5])}): say with where which ones to show"
    return ""


def _test(column: str, values: Sequence[object]) -> str | None:
    name = plain(column)
    if name in _HIDES:
        return _flag(column, values, _NO, _YES, 0)
    if name in _SHOWS:
        return _flag(column, values, _YES, _NO, 1, may_hide_all=name not in ("shared", "isshared", "active", "isactive"))
    if name in _STATES:
        return _state(column, values)
    if any(value in ("private_message", "private") for value in values):
        return f"{_name(column)} not in ('private_message', 'private')"
    if name in _MOMENTS:
        given = {value for value in values if value is not None}
        return f"{_name(column)} = 0" if given == {0} or 0 in given else f"{_name(column)} is null"
    return None


def _name(column: str) -> str:
    """The column as people write it, quoted only where it must be."""
    return column if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", column) and column.lower() not in _WORDS else quote(column)


# The words of SQL that columns of this kind are called by.
_WORDS = frozenset(["public", "private", "state", "table", "select", "where", "order", "group", "index", "key", "default"])


def _flag(
    column: str, values: Sequence[object], showing: frozenset[str], hiding: frozenset[str], usual: int, may_hide_all: bool = True
) -> str | None:
    """The test of a column of yes and no, as it spells them; None for a column of anything else."""
    given = {value for value in values if value is not None}
    if not given or not all(str(value).lower() in showing | hiding for value in given):
        return None
    shown: list[object] = sorted((value for value in given if str(value).lower() in showing), key=str)
    if not shown and not may_hide_all:
        return None
    if not shown and any(isinstance(value, str) for value in given):
        shown = [*sorted(showing - {""})]
    return _among(column, shown or [usual], any(value is None for value in values) and usual == 0)


def _state(column: str, values: Sequence[object]) -> str | None:
    given = {value for value in values if value is not None}
    if given and given <= {0, 1}:
        return f"{_name(column)} = 1" if 1 in given else None
    texts = {value for value in given if isinstance(value, str)}
    shown = sorted(value for value in texts if value.lower() in _SHOWN)
    known = {value for value in texts if value.lower() in _SHOWN | _UNSHOWN}
    return _among(column, list(shown), False) if shown and len(texts) == len(given) and known else None


def _among(column: str, shown: Sequence[object], null_too: bool) -> str:
    """col = 0, or col in ('t', 'y'); NULL counts as shown where `null_too`."""
    tested = f"coalesce({_name(column)}, {literal(shown[0])})" if null_too else _name(column)
    return f"{tested} = {literal(shown[0])}" if len(shown) == 1 else f"{tested} in ({', '.join(map(literal, shown))})"
