"""What stored values look like: lists of tags and how they are parted, markup, addresses. Judged from samples."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from .sources.delimited import ANGLES, HASHTAGS, POSTGRES, PYTHON, parts
from .sources.json_array import NAMES

JSON = "json"
SINGLE = ""
LONGEST_TAG = 60
_SENTENCE = frozenset(
    [
        "the",
        "of",
        "and",
        "is",
        "was",
        "are",
        "were",
        "with",
        "that",
        "this",
        "for",
        "from",
        "not",
        "you",
        "his",
        "her",
        "they",
        "have",
        "has",
        "had",
        "but",
        "i",
        "we",
        "it",
    ]
)
_MARKDOWN = re.compile(r"\]\((?:https?:|/|#|mailto:)|^#{1,6} |^```|\*\*\S|^[*-] |^> |^\d+\. |(?<!`)`[^`\n]+`(?!`)", re.M)
_HTML = re.compile(
    r"</(?:p|a|div|em|strong|ul|ol|li|h[1-6]|blockquote|pre|span|b|i|table|section|article)>|<(?:p|br|img|hr)\b[^<>]*>", re.I
)


@lru_cache(maxsize=256)
def storage_of(values: tuple[object, ...], several: bool) -> tuple[str | None, str]:
    """How the texts of a column hold tags: JSON, a `split` of `delimited`, or SINGLE; None and the reason where they do not.

    `several` says that the column's name is a plural.
    """
    texts = [value.strip() for value in values if isinstance(value, str) and value.strip()]
    if not texts:
        return None, "it is empty"
    for form, test in _FORMS:
        if _share(texts, test) >= (0.6 if form == JSON else 0.9):
            return _judged(form, [text for text in texts if form != JSON or test(text)], several)
    if _share(texts, lambda text: text[0] in "[{<(") > 0.2:
        return None, "some of its values are lists of one kind, and some are not"
    delimiter = _delimiter(texts, several)
    return _judged(delimiter or SINGLE, texts, several)


def _share(values: Sequence[str], test: Callable[[str], object]) -> float:
    return sum(bool(test(value)) for value in values) / len(values)


def _is_json_array(text: str) -> bool:
    return _json_tags(text) is not None


def _json_tags(text: str) -> list[str] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        # A long array is cut by the sample.
        return [] if len(text) > 3900 and text.startswith("[") and not text.startswith("['") else None
    if not isinstance(found, list):
        return None
    named = [next((one[name] for name in NAMES if name in one), None) if isinstance(one, dict) else one for one in found]
    return [str(one) for one in named if isinstance(one, (str, int)) and not isinstance(one, bool)]


_FORMS: tuple[tuple[str, Callable[[str], object]], ...] = (
    (JSON, _is_json_array),
    (ANGLES, re.compile(r"(?:<[^<>]+>\s*)+").fullmatch),
    (POSTGRES, lambda text: text.startswith("{") and parts(text, POSTGRES) is not None),
    (PYTHON, lambda text: text.startswith(("[", "(", "{")) and parts(text, PYTHON) is not None),
    (HASHTAGS, lambda text: re.search(r"(?:^|\s)#\w*[^\W\d]", text)),
)


def _delimiter(texts: Sequence[str], several: bool) -> str | None:
    """The delimiter that most texts hold; a space only where nothing else parts them and the words are no sentences."""
    shares = {sign: sum(sign in text.strip(sign) or text[0] == text[-1] == sign for text in texts) / len(texts) for sign in "\n\t|;,"}
    best = max(shares, key=lambda sign: shares[sign])
    if shares[best] >= (0.1 if several else 0.3):
        return f"{best} " if best in ",;" and _share([t for t in texts if best in t], lambda text: f"{best} " in text) > 0.8 else best
    words = [word for text in texts for word in text.split()]
    if several and _share(texts, lambda text: " " in text) >= 0.1 and not _SENTENCE & {word.lower() for word in words}:
        return " "
    return None


def tags_in(text: str, storage: str) -> list[str]:
    """The tags of one text, as the shape would find them."""
    if storage == JSON:
        found = _json_tags(text) or []
    elif storage == SINGLE:
        found = [text]
    else:
        found = parts(text, storage) or []
    return [one.strip() for one in found if one.strip()]


def _judged(storage: str, texts: Sequence[str], several: bool) -> tuple[str | None, str]:
    """The storage, where what it finds repeats and is short, as tags are."""
    counts = Counter(tag for text in texts for tag in set(tags_in(text, storage)))
    if not counts:
        return None, "no tags are in it"
    long = sum(len(tag) > LONGEST_TAG or tag.count(" ") > 5 for tag in counts)
    if long > 0.1 * len(counts):
        return None, "its texts are too long to be tags"
    once = sum(count == 1 for count in counts.values())
    # One word a row that hardly ever comes again is a name or a title. Lists of words may be few.
    rare = 0.5 * len(texts) < len(counts) if storage == SINGLE else once > 0.9 * len(counts) and len(counts) >= 20
    if rare:
        return None, f"its words repeat too rarely to be tags: {len(counts)} values, {once} of them used once"
    return storage, ""


def markup_of(values: Iterable[object]) -> str:
    """html, markdown or text: what the bodies are written in."""
    texts = [value for value in values if isinstance(value, str) and value.strip()][:50]
    html = sum(bool(_HTML.search(text)) for text in texts)
    starts = sum(text.lstrip().startswith("<") for text in texts)
    markdown = sum(bool(_MARKDOWN.search(_HTML.sub("", text))) for text in texts)
    if texts and (starts > 0.5 * len(texts) or (html and html >= 2 * markdown)):
        return "html"
    # HTML may stand in Markdown, but not Markdown in HTML.
    return "markdown" if texts and (markdown >= 0.1 * len(texts) or html) else "text"


def share_of(values: Iterable[object], test: Callable[[str], object]) -> float:
    """The share of texts, among values that are neither NULL nor blank, that pass the test; 0 for none."""
    filled = [value for value in values if value is not None and str(value).strip()]
    return sum(isinstance(value, str) and bool(test(value.strip())) for value in filled) / len(filled) if filled else 0.0


def is_url(text: str) -> bool:
    """An absolute web address."""
    return bool(re.fullmatch(r"https?://[^\s<>\"]+", text))


def is_image(text: str) -> bool:
    """An address, absolute or not, that ends like a picture's, or any web address."""
    return is_url(text) or bool(re.fullmatch(r"[^\s<>\"]+\.(?:png|jpe?g|gif|webp|svg|avif)", text, re.I))


def is_data(text: str) -> bool:
    """JSON and the like, which is nobody's prose."""
    return text.startswith(("{", "[{", '["', "[[")) or (text.startswith("[") and text.endswith("]") and len(text) < 3)
