"""Where the next page begins, as a token: the last item shown, so that new items move nothing (keyset paging)."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from ..errors import BadRequest
from ..model import Item
from ..sql import WHOLE_NUMBERS


def write(item: Item) -> str:
    """The token that continues after an item."""
    return urlsafe_b64encode(json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode()).decode().rstrip("=")


def read(token: str | None) -> Item | None:
    """The item that a token continues after; None for no token. Raises BadRequest for any that `write` cannot have made."""
    if token is None:
        return None
    try:
        item = Item(*json.loads(urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("utf-8")))
    except (ValueError, TypeError, RecursionError) as error:
        raise BadRequest("The parameter “next” is not one that this site gives.") from error
    if not _is_item(item):
        raise BadRequest("The parameter “next” is not one that this site gives.")
    return item


def _is_item(item: Item) -> bool:
    texts = [part for part in item if isinstance(part, str)]
    return (
        isinstance(item.published, str)
        and re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)?", item.published) is not None
        and isinstance(item.source, str)
        and (isinstance(item.key, str) or (type(item.key) is int and item.key in WHOLE_NUMBERS))
        and not any("\ud800" <= char <= "\udfff" for part in texts for char in part)
    )


def size(given: str | None, default: int) -> int:
    """How many items a page holds: 1 to 100. Raises BadRequest for anything else."""
    if given is None:
        return default
    if not re.fullmatch(r"[0-9]{1,3}", given) or not 1 <= int(given) <= 100:
        raise BadRequest("The parameter “size” must be a whole number from 1 to 100.")
    return int(given)
