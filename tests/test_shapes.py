"""Join tables as people make them: any names, any keys."""

import pytest
from conftest import SETTINGS, texts

ODD = """
create table [my "posts"] ("the key" text primary key, "title" text, "body" text, "created" text);
create table "tag list" ("a name" text primary key);
create table "join's" ("item]" text references [my "posts"], "tag " text references "tag list");
insert into [my "posts"] values ('a/b c,é~1', 'One', '', '2020-01-01'), ('2', 'Two', '', '2020-01-02');
insert into "tag list" values ('t');
insert into "join's" values ('a/b c,é~1', 't'), ('2', 't');
"""
BY_SLUG = """
create table post (id integer primary key, slug text unique, title, created);
create table tag (id integer primary key, slug text unique, label text);
create table post_tag (post text references post(slug), tag text references tag(slug));
insert into post values (1, 'one', 'One', '2020-01-01'), (2, 'two', 'Two', '2020-01-02');
insert into tag values (5, 't', 'Tea');
insert into post_tag values ('one', 't'), ('two', 't'), ('two', 't'), ('gone', 't');
"""
ROWIDS = """
create table post (title, created);
create table tag (tag);
create table post_tags (post integer, tag integer);
insert into post values ('One', '2020-01-01'), ('Two', '2020-01-02');
insert into tag values ('t');
insert into post_tags values (1, 1), (2, 1);
"""
TEXT_NUMBERS = """
create table post (id integer primary key, title, created);
create table tag (id integer primary key, tag);
create table post_tags (post_id text references post(id), tag_id text references tag(id));
insert into post values (1, 'One', '2020-01-01'), (2, 'Two', '2020-01-02');
insert into tag values (1, 't'); insert into post_tags values ('1', '1'), ('2', '1');
"""


@pytest.mark.parametrize(
    ("schema", "sources", "tag", "ids"),
    [
        (ODD, {"x": {"table": 'my "posts"', "tags": {"join": "join's", "item": "item]", "tag": "tag "}}}, "t", ["blog/my+~22posts~22/2", "blog/my+~22posts~22/a~2Fb+c~2C~C3~A9~7E1"]),
        (BY_SLUG, {"post": {}}, "Tea", ["blog/post/2", "blog/post/1"]),
        (BY_SLUG, {"post": {"tags": {"join": "post_tag", "item": "post", "tag": "tag", "name": "slug"}}}, "t", ["blog/post/2", "blog/post/1"]),
        (ROWIDS, {"post": {"tags": {"join": "post_tags", "item": "post", "tag": "tag", "name": "tag.tag"}}}, "t", ["blog/post/2", "blog/post/1"]),
        (TEXT_NUMBERS, {"post": {}}, "t", ["blog/post/2", "blog/post/1"]),
    ],
)  # fmt: skip
async def test_feed_page_and_index_agree(site, schema, sources, tag, ids):
    blog = site({**SETTINGS, "sources": sources}, schema)
    feed = await blog.feed(f"/tags/{tag}.atom")
    assert texts(feed, "a:entry/a:id") == [f"tag:example.org,2026:{one}" for one in ids]
    assert texts(feed, "a:entry/a:category/@term") == [tag, tag]
    for address in texts(feed, "a:entry/a:link/@href"):
        assert (await blog.get(address.replace("https://example.org", ""))).status_code == 200
    assert "<b>2</b> items" in (await blog.get(f"/tags/{tag}")).text
    assert "<b>1</b> tag on <b>2</b> items" in (await blog.get("/tags")).text
    following = texts(await blog.feed(f"/tags/{tag}.atom?size=1"), "a:link[@rel='next']/@href")[0]
    assert texts(await blog.feed(following.replace("https://example.org", "")), "a:entry/a:id") == [f"tag:example.org,2026:{ids[1]}"]


NOCASE = """
create table post (id text primary key, title, created);
create table tag (id integer primary key, tag);
create table post_tags (post_id text collate nocase references post(id), tag_id integer references tag(id));
insert into post values ('a', 'small', '2020-01-01'), ('A', 'large', '2020-01-02');
insert into tag values (1, 't'); insert into post_tags values ('a', 1);
"""
OWN_ROWID = """
create table post (rowid text, title, created);
create table tag (id integer primary key, tag);
create table post_tags (post_id integer, tag_id integer);
insert into post values ('mine', 'One', '2020-01-01');
insert into tag values (1, 't'); insert into post_tags values (1, 1);
"""


@pytest.mark.parametrize(
    ("schema", "source", "titles"),
    [
        (NOCASE, {}, ["small"]),
        (OWN_ROWID, {"tags": {"join": "post_tags", "item": "post_id", "tag": "tag_id", "name": "tag.tag"}}, ["One"]),
    ],
)
async def test_keys_mean_the_row_that_they_name(site, schema, source, titles):
    blog = site({**SETTINGS, "sources": {"post": source}}, schema)
    assert texts(await blog.feed("/tags/t.atom"), "a:entry/a:title") == titles
