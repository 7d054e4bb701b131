"""WebSub from end to end: a server, a hub that verifies and fetches, and a reader that subscribed."""

import re
from contextlib import contextmanager

import pytest
from commands import command, metadata
from conftest import SETTINGS
from datasette.app import Datasette
from hubs import Hub, Subscriber
from serving import free_port, served, until

pytestmark = pytest.mark.live

FORMATS = ("atom", "rss", "json")


@pytest.fixture
def hub():
    one = Hub()
    yield one
    one.stop()


@pytest.fixture
def reader():
    one = Subscriber()
    yield one
    one.stop()


def filled(site, to, **settings):
    blog = site({**SETTINGS, "hub": to.address, "size": 3, **settings})
    for key in range(1, 10):
        blog.post(key, ["python", f"tag{key % 3}"], created=f"2020-01-{key:02}T00:00:00Z")
    blog.post(10, ["rare"], created="2019-01-01T00:00:00Z")
    return blog


@contextmanager
def online(blog):
    """The site on a port, which its base_url names; yields that address."""
    port = free_port()
    blog.settings = {**blog.settings, "base_url": f"http://127.0.0.1:{port}"}
    with served(blog.path, "-m", metadata(blog.path.parent, blog.settings), folder=blog.path.parent, port=port):
        yield blog.settings["base_url"]


def ping(blog):
    return command("ping", blog.path, "-m", metadata(blog.path.parent, blog.settings))


def test_the_hub_is_told_of_the_feeds_that_changed(site, hub):
    blog = filled(site, hub)
    first = ping(blog)
    assert (first.exit_code, "Remembered." in first.output, hub.told) == (0, True, [])
    assert (ping(blog).output, hub.told) == ("", [])
    blog.sql(
        "update post set title = 'Changed' where id = 10; delete from post where id = 1; update tag set tag = 'rarer' where tag = 'rare'"
    )
    hub.refuses = True
    failed = ping(blog)
    assert (failed.exit_code, failed.output) == (1, f"Error: {hub.address} answered 503 Service Unavailable.\n")
    hub.refuses = False
    told = ping(blog)
    feeds = [*(f"/rarer.{form}" for form in FORMATS), *(f"/tag1.{form}" for form in FORMATS), "/python.json", ".feed.json"]
    assert sorted(hub.told) == sorted(told.output.split()) == sorted(f"https://example.org/tags{one}" for one in feeds)
    assert (ping(blog).output, len(hub.told)) == ("", len(feeds))


@pytest.mark.parametrize(("settings", "sentence"), [({"hub": None}, "hub is needed"), ({"base_url": None}, "base_url is needed")])
def test_what_ping_needs(site, hub, settings, sentence):
    refused = ping(filled(site, hub, **settings))
    assert (refused.exit_code, sentence in refused.output) == (1, True)


def test_a_hub_that_is_not_there(site, hub):
    blog = filled(site, hub)
    ping(blog)
    blog.post(11, ["new"])
    hub.stop()
    failed = ping(blog)
    assert (failed.exit_code, f"{hub.address} could not be reached" in failed.output) == (1, True)


async def test_a_feed_names_the_hub_where_the_hub_is_told_of_it(site, hub):
    blog = filled(site, hub)
    for path, named in {
        "/tags.atom": True,
        "/tags/python.atom": True,
        "/tags/python.rss": True,
        "/tags/python.json": True,
        "/tags/python.atom?utm=x": True,
        "/tags/python.atom?size=2": False,
        "/tags/python.atom?year=2020": False,
        "/tags/python+tag1.atom": False,
        "/tags/-python.atom": False,
    }.items():
        response = await blog.get(path)
        assert (hub.address in response.text, hub.address in response.headers["link"]) == (named, named), path


@pytest.mark.parametrize("form", FORMATS)
def test_a_subscriber_gets_what_is_new(site, hub, reader, form):
    hub.fetches = True
    blog = filled(site, hub)
    with online(blog) as address:
        reader.subscribe(f"{address}/tags/python.{form}")
        assert hub.subscribers == {f"{address}/tags/python.{form}": [reader.address]}
        ping(blog)
        blog.post(11, ["python"], title="Hot news", created="2021-01-01T00:00:00Z")
        assert ping(blog).exit_code == 0
        assert [b"Hot news" in one for one in reader.got] == [True]
        blog.post(12, ["other"], title="Something else", created="2021-01-02T00:00:00Z")
        ping(blog)
        assert len(reader.got) == 1


async def test_the_server_tells_the_hub_by_itself(site, hub, reader):
    """On Datasette 1.0; the older one supervises no tasks, and says so at start-up."""
    hub.fetches = True
    blog = filled(site, hub, ping_every=1)
    if not hasattr(Datasette, "add_background_task"):
        with pytest.raises(Exception, match=r"ping_every: needs Datasette 1\.0; on this one, run `datasette tagfeeds ping`"):
            await blog.start()
        return
    with online(blog) as address:
        log = next(blog.path.parent.glob("*.log"))
        reader.subscribe(f"{address}/tags/python.atom")
        number = 100

        def told():
            nonlocal number
            number += 1
            blog.post(number, ["python"], title=f"News {number}", created="2021-01-01T00:00:00Z")
            return bool(reader.got)

        # What was written before the task's first look is no news to it: so news go on until some are told.
        until(told, log.read_text)
        last = f"News {number}".encode()
        until(lambda: last in reader.got[-1], log.read_text)
        assert {re.sub(r"\.\w+$", "", one) for one in hub.told} == {f"{address}/tags/python", f"{address}/tags", f"{address}/tags.feed"}
        hub.refuses = True
        blog.post(999, ["late"], title="Late", created="2022-01-01T00:00:00Z")
        until(lambda: "could not be told of news" in log.read_text(), log.read_text)
        hub.refuses = False
        until(lambda: f"{address}/tags/late.atom" in hub.told, log.read_text)


async def test_what_telling_by_itself_needs(site):
    for settings in ({"hub": None}, {"base_url": None}):
        blog = site({**SETTINGS, "hub": "https://hub.example/", "ping_every": 60, **settings})
        with pytest.raises(Exception, match="ping_every: needs the settings hub and base_url"):
            await Datasette([str(blog.path)], metadata={"plugins": {"datasette-tagfeeds": blog.settings}}).invoke_startup()
