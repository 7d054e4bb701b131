"""Sites to test: a real Datasette over a real file, asked through its own HTTP door."""

import os
import sqlite3
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import yaml
from datasette.app import Datasette
from lxml import etree

from datasette_tagfeeds import health
from datasette_tagfeeds import site as sites
from datasette_tagfeeds.cli import indexing
from datasette_tagfeeds.integrations import patience
from datasette_tagfeeds.postings import build

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "demo"))

ATOM = {"a": "http://www.w3.org/2005/Atom", "fh": "http://purl.org/syndication/history/1.0", "media": "http://search.yahoo.com/mrss/"}
SCHEMA = """
create table post (id integer primary key, title, body, created, updated, link, author, is_draft integer not null default 0);
create table tag (id integer primary key, tag);
create table post_tags (id integer primary key, post_id integer references post(id), tag_id integer references tag(id));
"""
SETTINGS = {
    "title": "Site",
    "base_url": "https://example.org",
    "authority": "example.org,2026",
    "sources": {"post": {"html": "body", "where": "is_draft = 0"}},
}

# Every run tries the same examples; HYPOTHESIS_PROFILE=search tries many others.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None, max_examples=60)
hypothesis.settings.register_profile("search", deadline=None, max_examples=600)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

INDEXED = bool(os.environ.get("TAGFEEDS_INDEXED"))

# A busy machine changes no answer.
LIMITS = ("sql_time_limit_ms", "facet_time_limit_ms", "facet_suggest_time_limit_ms")
UNHURRIED = dict.fromkeys(LIMITS, 20_000)

_skipped: list[str] = []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Over the index run all tests but those of what an index changes, of what browsers show, and of files that are large."""
    if INDEXED:
        kept = [item for item in items if not item.get_closest_marker("live")]
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("live")])
        items[:] = kept


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember what was skipped."""
    if report.skipped:
        _skipped.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where TAGFEEDS_NO_SKIPS is set, a skipped test fails the run."""
    if _skipped and os.environ.get("TAGFEEDS_NO_SKIPS"):
        session.exitstatus = 1
        print(f"\nskipped although TAGFEEDS_NO_SKIPS is set: {_skipped}")


class Site:
    """A Datasette with the plugin, over one database file that the test fills."""

    def __init__(self, path: Path, settings: dict[str, Any], immutable: bool = False, **metadata: Any) -> None:
        self.path = path
        self.immutable = immutable
        self.settings = settings
        self.metadata = metadata
        self._datasette: Datasette | None = None
        self.indexed = False

    def sql(self, sql: str, parameters: Iterable[Any] = ()) -> None:
        """Run statements on the file."""
        connection = sqlite3.connect(self.path)
        with connection:
            connection.execute(sql, tuple(parameters)) if parameters else connection.executescript(sql)
        connection.close()

    def post(self, key: Any, tags: Iterable[Any] = ("python",), **columns: Any) -> None:
        """Add a post with its tags."""
        row = {"id": key, "title": f"Post {key}", "body": f"<p>Body {key}</p>", "created": "2020-01-01T00:00:00Z", **columns}
        self.sql(f"insert into post ({', '.join(row)}) values ({', '.join('?' * len(row))})", row.values())
        for tag in tags:
            self.sql("insert into tag (tag) select ? where not exists (select 1 from tag where tag is ?)", (tag, tag))
            self.sql("insert into post_tags (post_id, tag_id) select ?, max(id) from tag where tag is ?", (key, tag))

    @property
    def datasette(self) -> Datasette:
        """The instance, made at first use."""
        if self._datasette is None:
            metadata = {**self.metadata, "plugins": {"datasette-tagfeeds": self.settings}}
            mutable, immutable = ([], [str(self.path)]) if self.immutable else ([str(self.path)], [])
            self._datasette = Datasette(mutable, immutables=immutable, metadata=metadata, settings=UNHURRIED)
        return self._datasette

    async def start(self) -> None:
        """Start up, as the command line does. With TAGFEEDS_INDEXED the file is indexed first, so that every test can run over the index too."""
        await self.datasette.invoke_startup()
        if INDEXED and not self.indexed and not self.immutable:
            self.indexed = True
            await self.index()

    async def index(self) -> None:
        """Index the file, as `datasette tagfeeds index` does."""
        dates = os.stat(self.path)
        for file in await indexing.described(self.datasette):
            with closing(build.connect(file.path)) as connection:
                if file.sources:
                    build.build(connection, file.sources, lambda count: None)
        # Tests set the dates of files.
        os.utime(self.path, ns=(dates.st_atime_ns, dates.st_mtime_ns))

    async def get(self, path: str, actor: str | None = None) -> Any:
        """The response to a GET, as an actor with this id."""
        await self.start()
        cookies = {"ds_actor": self.datasette.sign({"a": {"id": actor}}, "actor")} if actor else {}
        return await self.datasette.client.get(path, cookies=cookies)

    async def feed(self, path: str, actor: str | None = None) -> etree._Element:
        """The parsed document of a feed that must be served."""
        response = await self.get(path, actor)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/atom+xml; charset=utf-8"
        return etree.fromstring(response.content)


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left out, or advised, because a machine is busy; tests of what is set their own limits."""
    monkeypatch.setattr(health, "SLOW_MS", 20_000)
    monkeypatch.setattr(sites, "PATIENCE", 60)
    monkeypatch.setattr(patience, "PATIENCE", 30)


@pytest.fixture
def site(tmp_path: Path) -> Callable[..., Site]:
    """Makes a site: site(settings=None, schema=SCHEMA, **metadata)."""
    made = 0

    def make(settings: dict[str, Any] | None = None, schema: str = SCHEMA, name: str = "blog", **metadata: Any) -> Site:
        nonlocal made
        made += 1
        path = tmp_path / str(made) / f"{name}.db"
        path.parent.mkdir()
        one = Site(path, SETTINGS if settings is None else settings, **metadata)
        one.sql(schema)
        return one

    return make


@pytest.fixture
def data() -> Path:
    """The folder of data that only some machines have."""
    folder = os.environ.get("TAGFEEDS_DATA")
    if not folder:
        pytest.skip("TAGFEEDS_DATA is not set")
    return Path(folder)


@pytest.fixture
def demo(tmp_path: Path) -> Site:
    """The demo site, with the settings that it ships with."""
    from build import build

    build(tmp_path / "demo.db")
    metadata = yaml.safe_load((ROOT / "metadata.yml").read_text(encoding="utf-8"))
    settings = metadata.pop("plugins")["datasette-tagfeeds"]
    return Site(tmp_path / "demo.db", settings, **metadata)


def texts(document: etree._Element, path: str) -> list[str]:
    """What an XPath over a feed finds, as text."""
    return [found if isinstance(found, str) else "".join(found.itertext()) for found in document.xpath(path, namespaces=ATOM)]
