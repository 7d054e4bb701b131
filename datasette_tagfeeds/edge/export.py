"""A site as a folder of files, for hosts that do nothing but serve files."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import quote, unquote

from markupsafe import escape

from ..errors import Unavailable
from ..expression import Tag
from ..formats import sitemap
from ..web.feeds import FORMATS
from ..web.urls import Addresses
from .asking import Answer, Asker
from .changes import Changes, State
from .digests import EVERYTHING
from .folder import Folder, Unwritable
from .relative import linked_relatively

SITEMAP = "sitemap-tags{}.xml"
REDIRECTS = "_redirects"
_ASSET = re.compile(r'(?:href|src)="([^"?]*/-/static[^"?]*)')
REDIRECT = """<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{title}</title>
<link rel="canonical" href="{address}"><meta http-equiv="refresh" content="0; url={address}"><p><a href="{address}">{title}</a>
"""


class Job(NamedTuple):
    """Files that are made together: their group, whether they are to be made, and how."""

    group: str
    changed: bool
    make: Callable[[str], Awaitable[None]]


class Exporter:
    """Writes what a site's anonymous visitor is shown into a folder; `left_out` says what could not be, and why."""

    def __init__(self, ask: Asker, where: Addresses, folder: Folder, relative: bool) -> None:
        self.ask, self.where, self.folder, self.relative = ask, where, folder, relative
        # What stands before every path, without a slash at its end.
        self.prefix = str(where.datasette.urls.instance()).rstrip("/")
        self.left_out: list[str] = []
        self._assets: set[str] = set()
        self._redirects: list[str] = []

    def jobs(self, state: State, changes: Changes, aliases: dict[str, str]) -> list[Job]:
        """All that there is to be made, first of all what most people look at."""
        tags = sorted(set(state.tags) - {EVERYTHING})
        anything = bool(changes)
        jobs = [Job("index", anything, self._index), Job("everything", EVERYTHING in changes.counted, self._feeds(EVERYTHING))]
        for tag in tags:
            jobs.append(Job(f"page {tag}", tag in changes.tags, self._pages(tag)))
            jobs.append(Job(f"feeds {tag}", tag in changes.feeds | changes.counted, self._feeds(tag)))
        jobs += [Job(f"alias {old}", True, self._alias(old)) for old in sorted(aliases) if old not in state.tags]
        return jobs

    async def run(self, jobs: list[Job], done: Callable[[int], None]) -> None:
        """Do what is to be done; `done` is told of each job."""
        for group, changed, make in jobs:
            if changed or not self.folder.has(group):
                await make(group)
            else:
                self.folder.keep(group)
            done(1)
        if self._redirects:
            self._write("redirects", REDIRECTS, "".join(self._redirects).encode())
        await self._styles()

    async def _index(self, group: str) -> None:
        own = self.where.local()
        for path, file in ((own, f"{own}/index.html"), (f"{own}.json", f"{own}.json"), (f"{own}.opml", f"{own}.opml")):
            answer = await self.ask(path)
            self._take(group, path, file, answer)
            if path.endswith(".json") and answer.status == 200:
                self._sitemaps(group, json.loads(answer.body)["tags"])

    def _sitemaps(self, group: str, tags: list[dict[str, str]]) -> None:
        latest = max((tag["latest"] or "" for tag in tags), default="")
        pages = [(self.where.absolute(self.where.local()), latest[:10]), *((tag["url"], (tag["latest"] or "")[:10]) for tag in tags)]
        for number, start in enumerate(range(0, len(pages), sitemap.MOST)):
            body = sitemap.render(pages[start : start + sitemap.MOST])
            self._write(group, SITEMAP.format(f"-{number + 1}" if number else ""), body)

    def _feeds(self, tag: str) -> Callable[[str], Awaitable[None]]:
        async def make(group: str) -> None:
            for format in FORMATS:
                path = self.where.local(Tag(tag) if tag != EVERYTHING else None, format)
                self._take(group, path, path, await self.ask(path))

        return make

    def _pages(self, tag: str) -> Callable[[str], Awaitable[None]]:
        async def make(group: str) -> None:
            own, query, number = self.where.local(Tag(tag)), "", 1
            while True:
                answer = await self.ask(own + query, number)
                self._take(group, own, f"{own}/{number}/index.html" if number > 1 else f"{own}/index.html", answer)
                if answer.status != 200 or not answer.next_query:
                    break
                query, number = answer.next_query, number + 1

        return make

    def _alias(self, old: str) -> Callable[[str], Awaitable[None]]:
        """An old name's page leads on; its feeds are those of the new one, for hosts that cannot redirect."""

        async def make(group: str) -> None:
            own = self.where.local(Tag(old))
            answer = await self.ask(own)
            if answer.status != 301:
                return
            target = answer.headers["location"]
            for suffix in ("", *(f".{format}" for format in FORMATS)):
                self._redirects.append(f"{own}{suffix} {target}{suffix} 301\n")
            address = escape(self.where.absolute(target))
            page = REDIRECT.format(language=escape(self.where.settings.language), title=escape(unquote(target)), address=address)
            self._write(group, f"{own}/index.html", page.encode())
            for format in FORMATS:
                self._take(group, f"{own}.{format}", f"{own}.{format}", await self.ask(f"{target}.{format}"))

        return make

    async def _styles(self) -> None:
        """The styles and scripts that pages name; those of pages that stayed as they were are there, or were."""
        if self.folder.has("assets"):
            self.folder.keep("assets")
        else:
            self._assets.update(f"{self.prefix}/{quote(file)}" for file in self.folder.files("assets"))
        for path in sorted(self._assets):
            self._take("assets", path, path, await self.ask(path))

    def _take(self, group: str, path: str, file: str, answer: Answer) -> None:
        if answer.status >= 500:
            # What is there stays, and the next run tries again.
            raise Unavailable(f"{path} could not be made ({answer.status}). Nothing is taken away; run it again.")
        if answer.status != 200:
            self.left_out.append(f"{path}: answered {answer.status}")
            return
        body = answer.body
        if file.endswith("index.html"):
            # A host of files may not say which encoding they have.
            text = body.decode().replace("<head>", '<head><meta charset="utf-8">', 1)
            self._assets.update(_ASSET.findall(text))
            body = (linked_relatively(text, self._file(file), self._target, self.where.base) if self.relative else text).encode()
        self._write(group, file, body)

    def _write(self, group: str, file: str, body: bytes) -> None:
        try:
            self.folder.write(group, self._file(file), body)
        except Unwritable as error:
            self.left_out.append(str(error))

    def _file(self, path: str) -> str:
        """The name of the file that a host serves at a path."""
        return unquote(path.removeprefix(self.prefix).lstrip("/"))

    def _target(self, path: str) -> str | None:
        """The file that a path becomes; None for what is not exported."""
        own = self.where.local()
        if "/-/static" in path or path.startswith(f"{own}.") or path.endswith(tuple(f".{format}" for format in FORMATS)):
            return self._file(path)
        return self._file(f"{path}/index.html") if path == own or path.startswith(f"{own}/") else None
