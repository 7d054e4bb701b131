"""The Atom feed of a tag, through HTTP."""

import feedparser
import pytest
from conftest import ATOM, SETTINGS, texts
from lxml import etree

from datasette_tagfeeds import store


def settings(**source):
    return {**SETTINGS, "sources": {"post": {"html": "body", **source}}}


async def test_entries_come_newest_first_with_everything_a_reader_needs(site):
    blog = site(settings(author="author"))
    blog.post(1, created="2020-01-01 10:00:00", updated="2021-05-05T12:00:00+02:00", author="Ann")
    blog.post(2, ["django", "python"], created="2022-02-02")
    blog.post(3, ["django"])
    feed = await blog.feed("/tags/python.atom")
    assert texts(feed, "a:entry/a:id") == ["tag:example.org,2026:blog/post/2", "tag:example.org,2026:blog/post/1"]
    assert texts(feed, "a:entry/a:published") == ["2022-02-02T00:00:00+00:00", "2020-01-01T10:00:00+00:00"]
    assert texts(feed, "a:entry/a:updated") == ["2022-02-02T00:00:00+00:00", "2021-05-05T10:00:00+00:00"]
    assert texts(feed, "a:updated") == ["2022-02-02T00:00:00+00:00"]
    assert texts(feed, "a:entry[1]/a:category/@term") == ["python", "django"]
    assert texts(feed, "a:entry[2]/a:author/a:name") == ["Ann"]
    assert texts(feed, "a:entry/a:link[@rel='alternate']/@href") == ["https://example.org/blog/post/2", "https://example.org/blog/post/1"]


async def test_feed_describes_itself(site):
    blog = site({**settings(), "author": {"name": "Ann", "email": "ann@example.org", "uri": "https://ann.example/"}, "language": "pt-BR"})
    blog.post(1)
    feed = await blog.feed("/tags/python.atom")
    assert texts(feed, "a:id") == ["tag:example.org,2026:tags/python"]
    assert texts(feed, "a:title") == ["Site: python"]
    assert texts(feed, "a:author/*") == ["Ann", "ann@example.org", "https://ann.example/"]
    assert feed.get("{http://www.w3.org/XML/1998/namespace}lang") == "pt-BR"
    assert texts(feed, "a:link[@rel='self']/@href") == ["https://example.org/tags/python.atom"]
    assert texts(feed, "a:link[@rel='alternate']/@href") == ["https://example.org/tags/python"]
    assert texts(feed, "a:generator") == ["datasette-tagfeeds"]
    assert feed.xpath("fh:complete", namespaces=ATOM)


async def test_site_feed_holds_every_tagged_item_once(site):
    blog = site()
    blog.post(1, ["a", "b"])
    blog.post(2, ["b"], created="2021-01-01")
    blog.post(3, [])
    feed = await blog.feed("/tags.atom")
    assert texts(feed, "a:entry/a:title") == ["Post 2", "Post 1"]
    assert texts(feed, "a:title") == ["Site"]
    assert texts(feed, "a:id") == ["tag:example.org,2026:tags/"]


async def test_same_rows_give_the_same_bytes(site):
    blog = site()
    blog.post(1)
    first, second = [(await blog.get("/tags/python.atom")).content for _ in range(2)]
    assert first == second


async def test_links_beside_the_entrys_own(site):
    blog = site(settings(related="link", enclosure="/a b.mp3{{ '' }}", image="{{ link }}.png", via="{{ 'javascript:alert(1)' }}"))
    blog.post(1, link="https://a.example/x y?q=é&b=[1]")
    feed = await blog.feed("/tags/python.atom")
    assert texts(feed, "a:entry/a:link[@rel='related']/@href") == ["https://a.example/x%20y?q=%C3%A9&b=%5B1%5D"]
    assert texts(feed, "a:entry/a:link[@rel='enclosure']/@type") == ["audio/mpeg"]
    assert texts(feed, "a:entry/media:thumbnail/@url") == ["https://a.example/x%20y?q=%C3%A9&b=%5B1%5D.png"]
    assert not texts(feed, "a:entry/a:link[@rel='via']")


async def test_links_of_items_may_be_relative_expressions(site):
    blog = site(settings(link="/{{ created.year }}/{{ created.strftime('%b') }}/{{ id }}/"))
    blog.post(7, created="2018-10-22T19:48:53+00:00")
    assert texts(await blog.feed("/tags/python.atom"), "a:entry/a:link/@href") == ["https://example.org/2018/Oct/7/"]


@pytest.mark.parametrize(
    ("field", "written", "expected"),
    [
        ("text", "a < b\n\nsecond & last\nline", "<p>a &lt; b</p>\n<p>second &amp; last<br>\nline</p>"),
        ("markdown", "*so* <script>alert(1)</script>[x](y)", '<p><em>so</em> <a href="https://example.org/blog/post/y">x</a></p>\n'),
        (
            "html",
            '<p onclick="x()">hi <a href="/y#z">x</a><script>alert(1)</script></p>',
            '<p>hi <a href="https://example.org/y#z">x</a></p>',
        ),
    ],
)
async def test_bodies_are_html_whatever_they_were_written_in(site, field, written, expected):
    blog = site({**SETTINGS, "sources": {"post": {field: "body"}}})
    blog.post(1, body=written)
    assert texts(await blog.feed("/tags/python.atom"), "a:entry/a:content[@type='html']") == [expected]


async def test_trusted_bodies_stay_as_they_are_but_for_relative_addresses(site):
    blog = site(settings(trusted=True))
    body = '<iframe src=\'/x\'></iframe><!-- <a href="/"> --><p CLASS=x>unclosed <img srcset="a.png 2x, /b.png" alt="a > b"/>'
    blog.post(1, body=body)
    assert texts(await blog.feed("/tags/python.atom"), "a:entry/a:content") == [
        body.replace("'/x'", '"https://example.org/x"').replace(
            '"a.png 2x, /b.png"', '"https://example.org/blog/post/a.png 2x, https://example.org/b.png"'
        )
    ]


async def test_categories_come_in_the_order_asked_for(site):
    tags = ["b", "a", "c"]
    for order, expected in ((None, ["b", "a", "c"]), ("tag", ["a", "b", "c"]), ("post_tags.id", ["b", "a", "c"])):
        blog = site(settings(**({"order": order} if order else {})))
        blog.post(1, tags)
        assert texts(await blog.feed("/tags/a.atom"), "a:entry/a:category/@term") == expected


async def test_future_and_drafts_are_nowhere_and_undated_only_on_pages(site):
    blog = site()
    blog.post(1, title="Dated")
    blog.post(2, title="Undated", created="soon")
    blog.post(3, title="Future", created="9000-01-01", tags=["python", "later"])
    blog.post(4, title="Draft", is_draft=1, tags=["python", "draft"])
    assert texts(await blog.feed("/tags/python.atom"), "a:entry/a:title") == ["Dated"]
    page = (await blog.get("/tags/python")).text
    assert page.index("Dated") < page.index(">Undated</a>")
    assert "Future" not in page
    assert "Draft" not in page
    assert "<b>2</b> items" in page
    index = (await blog.get("/tags")).text
    assert "later" not in index
    assert "draft" not in index
    for path in ("/tags/later", "/tags/draft.atom"):
        assert (await blog.get(path)).status_code == 404


async def test_source_without_dates_has_pages_and_an_empty_feed(site):
    blog = site(settings(published=None))
    blog.post(1)
    assert 'rel="alternate" type="application/atom+xml"' not in (await blog.get("/tags/python")).text
    feed = await blog.feed("/tags/python.atom")
    assert texts(feed, "a:updated")[0].startswith("1970-01-01T00:00:00")
    assert not texts(feed, "a:entry")


async def test_demo_feeds_satisfy_parsers_and_the_schema(demo, data):
    schema = etree.RelaxNG(etree.parse(data / "atom.rng"))
    for path in ("/tags.atom", "/tags/asyncio.atom", "/tags/c~23.atom", "/tags/日本語.atom", "/tags/tcp~2Fip.atom", "/tags/node.js.atom"):
        response = await demo.get(path)
        assert response.status_code == 200, path
        parsed = feedparser.parse(response.content)
        assert not parsed.bozo
        assert parsed.entries
        schema.assertValid(etree.fromstring(response.content))


async def test_demo_is_as_large_as_promised(demo):
    page = (await demo.get("/tags")).text
    sources = (await demo.get("/-/tagfeeds.json")).json()["sources"]
    assert {source["label"]: source["items"] for source in sources} == {"Essays": 20, "Links": 39, "Milestones": 45}
    assert "<b>102</b> tags on <b>104</b> items" in page


async def test_ids_stay_when_all_else_changes(site):
    """New title, slug, link, host, tag name, format, import, VACUUM: readers must see the same entries."""
    blog = site(settings(link="/{{ link }}/"))
    for key in (1, 2):
        blog.post(key, link=f"slug-{key}")

    async def ids(path: str, one=blog) -> list[str]:
        return texts(await one.feed(path), "a:entry/a:id")

    before = await ids("/tags/python.atom")
    blog.sql("update post set title = 'New', link = 'other', body = ''; update tag set tag = 'snakes'; vacuum")
    assert await ids("/tags/snakes.atom") == before
    assert [item["id"] for item in (await blog.get("/tags/snakes.json")).json()["items"]] == before
    assert etree.fromstring((await blog.get("/tags/snakes.rss")).content).xpath("//guid/text()") == before
    again = site({**settings(), "base_url": "https://elsewhere.example/deep/"})
    for key in (2, 1):
        again.post(key)
    assert await ids("/tags.atom", again) == before


@pytest.mark.parametrize("format", ["atom", "rss", "json"])
async def test_a_document_stays_below_its_limit(site, format):
    """Also with bodies that grow when they are written: < and & in XML, quotes in JSON."""
    blog = site({**settings(), "max_bytes": 400_000})
    for key in range(1, 101):
        blog.post(key, body=f"<p>{'<b>&amp;</b>' * 150} {'&quot;' * 300}</p>", title='A "title" & more ' * 5)
    body = (await blog.get(f"/tags/python.{format}?size=100")).content
    assert len(body) <= 400_000
    items = (await blog.get("/tags/python.json?size=100")).json()["items"]
    assert len(items) == 100
    assert 0 < sum("content_html" in item for item in items) < 100


async def test_an_unknown_tag_costs_no_query(site, monkeypatch):
    blog = site()
    blog.post(1)
    await blog.get("/tags")

    async def never(*_arguments, **_more):
        raise AssertionError("asked")

    monkeypatch.setattr(store.Store, "_execute", never)
    assert (await blog.get("/tags/nope.atom")).status_code == 404
