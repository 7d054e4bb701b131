"""Links between the files of a folder, so that it works wherever it lies, and from a disk too."""

import posixpath
import re
from collections.abc import Callable
from urllib.parse import quote, urljoin, urlsplit

_LINK = re.compile(r'\b(href|src|action)="(/(?!/)[^"]*)"')


def linked_relatively(page: str, file: str, target: Callable[[str], str | None], base: str) -> str:
    """A page, which is written to `file`, with its links to paths of the site made relative. `target` says which file a path becomes;
    where it is none, the link becomes absolute, seen from `base`."""

    def relative(found: re.Match[str]) -> str:
        link = urlsplit(found[2])
        other = target(link.path)
        if other is None:
            return f'{found[1]}="{urljoin(base, found[2])}"'
        way = quote(posixpath.relpath(other, posixpath.dirname(file)))
        return f'{found[1]}="{way}{"#" + link.fragment if link.fragment else ""}"'

    return _LINK.sub(relative, page)
