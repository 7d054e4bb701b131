"""datasette tagfeeds export: a folder that says what the live site says, and a second run that writes what changed."""

import os
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit

import feedparser
import pytest
import yaml
from commands import command, metadata
from conftest import ROOT, SETTINGS, Site
from datasette.app import Datasette
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree, html
from serving import ask, free_port, running
from test_index import BASE, BY_NAME, PHASES, STORAGES, execute, statements

pytestmark = pytest.mark.live

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
HTTP = """
daemon off; {user} worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  server {{ listen 127.0.0.1:{port}; {rest} }}
}}
"""
WEBLOG = {**SETTINGS, "sources": {"post": {"html": "body", "where": "is_draft = 0", "link": "/posts/{{ id }}"}}, "size": 3}
FORMATS = ("atom", "rss", "json")


def export(folder, blog, *options, **rest):
    """The report of an export, and what was left out."""
    found = command("export", folder, blog.path, "-m", metadata(blog.path.parent, blog.settings, **rest), *options)
    assert found.exit_code == 0, found.output
    return found.stdout, found.stderr


def files(folder):
    """All that a folder holds but the manifest, by the names of files."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name[:2] != ".t"
    }


def filled(site, settings=WEBLOG, **rest):
    blog = site(settings, **rest)
    for key in range(1, 10):
        blog.post(key, ["python", f"tag{key % 3}"], created=f"2020-01-{key:02}T00:00:00Z")
    blog.post(10, ["c++", "a/b", "café", "a b", "node.js", "feed.atom"], created="2021-01-01T00:00:00Z")
    return blog


@pytest.fixture
def nginx(tmp_path):
    """The address of a folder served by nginx, with the settings that we give as an example."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    folder, port = tmp_path / "nginx", free_port()
    folder.mkdir()
    example = (ROOT / "examples" / "static" / "nginx.conf").read_text(encoding="utf-8").replace("/srv/feeds", str(tmp_path / "out"))
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(HTTP.format(folder=folder, port=port, user=user, rest=example), encoding="utf-8")
    with running([NGINX, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")], folder, port):
        yield port


def unpaged(document):
    """A feed without what only a server can answer: its other pages."""
    if document[:1] == b"{":
        return re.sub(rb'"next_url": ?"[^"]*",? ?', b"", document)
    tree = etree.fromstring(document)
    for link in tree.xpath("//*[local-name()='link'][@rel='first' or @rel='next']"):
        link.getparent().remove(link)
    return etree.tostring(tree, method="c14n")


async def test_a_host_of_files_answers_as_the_live_site_does(demo, tmp_path, nginx):
    demo.settings = {**demo.settings, "base_url": "https://notes.example.org", "aliases": {"asynch": "asyncio"}}
    export(tmp_path / "out", demo)
    tags = [urlsplit(one["url"]).path for one in (await demo.get("/tags.json")).json()["tags"]]
    assert len(tags) > 50
    assert ask(nginx, "/tags.json").body == (await demo.get("/tags.json")).content
    assert ask(nginx, "/tags.opml").body == (await demo.get("/tags.opml")).content
    whole = 0
    for name in (
        ".feed",
        *(f"/{quote(path.removesuffix('.atom'))}" for path in os.listdir(tmp_path / "out/tags") if path.endswith(".atom")),
    ):
        for form in FORMATS:
            path = f"/tags{'' if name == '.feed' and form != 'json' else name}.{form}"
            live, file = await demo.get(path.replace("/asynch.", "/asyncio.")), ask(nginx, path)
            assert (file.status, file.headers["Content-Type"].split(";")[0]) == (200, live.headers["content-type"].split(";")[0])
            assert unpaged(file.body) == unpaged(live.content), path
            whole += file.body == live.content
            assert ask(nginx, path, If_None_Match=file.etag).status == 304
            assert form == "json" or not feedparser.parse(file.body).bozo
    assert whole > 100  # those that fit one document are the very same
    for tag in tags:
        live, file = await demo.get(f"{tag}?size=100"), []
        for number in range(1, 99):
            answer = ask(nginx, f"{tag}{f'/{number}' if number > 1 else ''}")
            if answer.status == 404:
                break
            assert b'<head><meta charset="utf-8">' in answer.body
            file += html.fromstring(answer.body).xpath("//*[@class='u-url p-name']/text()")
        assert file[:100] == html.fromstring(live.content).xpath("//*[@class='u-url p-name']/text()")


def links(page, address):
    """The addresses that a page names, but for places in it."""
    return {urljoin(address, one) for one in html.fromstring(page).xpath("//@href | //@src | //@action") if not one.startswith("#")}


def test_every_link_of_the_site_leads_to_a_file(site, tmp_path, nginx):
    export(tmp_path / "out", filled(site))
    seen, todo = set(), {"http://example.org/tags"}
    while todo:
        address = todo.pop()
        seen.add(address)
        path = urlsplit(address).path
        answer = ask(nginx, path)
        assert answer.status == 200, address
        if answer.headers["Content-Type"].startswith("text/html"):
            found = {one.replace("https:", "http:").split("#")[0] for one in links(answer.body, address)}
            todo |= {one for one in found if re.match(r"http://example.org/(tags|-/static)", one)} - seen
            assert not [one for one in found if "?" in one and "/-/static" not in one]
    assert {f"http://example.org/tags/{name}" for name in ("python", "python/2", "python/3", "c~2B~2B", "caf%C3%A9", "a%20b")} <= seen


@pytest.mark.parametrize("prefix", ["/", "/notes/"])
def test_relative_links_work_from_a_disk(site, tmp_path, prefix):
    out = tmp_path / "out"
    export(out, filled(site), "--relative", "--prefix", prefix)
    pages = [name for name in files(out) if name.endswith(".html")]
    assert len(pages) > 12
    for name in pages:
        for link in links((out / name).read_text(), f"file://{out}/{quote(name)}"):
            if link.startswith("file:"):
                assert Path(unquote(urlsplit(link).path)).is_file(), (name, link)
            else:
                assert re.match(r"https://(example\.org|datasette\.io)/", link), link
    feed = (out / "tags/python.atom").read_text()
    assert f'href="https://example.org{prefix}tags/python.atom"' in feed


def test_the_second_run_writes_what_changed(site, tmp_path):
    blog, out = filled(site), tmp_path / "out"
    report, left_out = export(out, blog)
    assert (re.search(r"(\d+) written, 0 taken away", report)[1], left_out) == (str(len(files(out))), "")
    dates = {name: (out / name).stat().st_mtime_ns for name in files(out)}
    assert "0 written, 0 taken away" in export(out, blog)[0]
    blog.sql(
        "update post set title = 'Changed' where id = 3; delete from post_tags where post_id = 10 and tag_id = (select id from tag where tag = 'a/b')"
    )
    blog.post(11, ["new"])
    report, _ = export(out, blog)
    assert "4 taken away" in report
    assert not (out / "tags/a~2Fb").exists()
    now = {name: (out / name).stat().st_mtime_ns for name in files(out)}
    rewritten = {name for name in now if now[name] != dates.get(name)}
    assert {
        "tags/new/index.html",
        "tags/new.atom",
        "tags/tag0.atom",
        "tags/tag0/index.html",
        "tags/index.html",
        "tags/python/3/index.html",
    } <= rewritten
    assert not rewritten & {"tags/tag1.atom", "tags/tag1/index.html", "tags/tag2.json"}


def test_what_was_lost_is_written_again_and_what_is_not_ours_stays(site, tmp_path):
    blog, out = filled(site), tmp_path / "out"
    export(out, blog)
    before = files(out)
    (out / "tags/python.atom").unlink()
    shutil.rmtree(out / "tags/tag1")
    (out / "tags/mine.txt").write_text("mine")
    export(out, blog)
    assert files(out) == {**before, "tags/mine.txt": b"mine"}
    blog.sql("delete from post")
    outside = tmp_path / "outside.txt"
    outside.write_text("not ours")
    manifest = out / ".tagfeeds-export.json"
    manifest.write_text(manifest.read_text().replace("tags/tag2.atom", "../outside.txt"))
    export(out, blog)
    assert {name for name in files(out) if name.startswith("tags/")} == {"tags/index.html", "tags/mine.txt", "tags/tag2.atom"}
    assert outside.exists()
    manifest.write_text("{")
    export(out, blog)


def test_what_no_file_can_be_called_is_named(site, tmp_path):
    blog = filled(site)
    blog.post(20, ["index.html", "x" * 300, "é" * 130, "nul\0"])
    _, left_out = export(tmp_path / "out", blog)
    assert left_out.count("Left out:") == len(left_out.splitlines())
    for words in ("tags/index.html/index.html", "xxx", "ééé", "nul"):
        assert words in left_out
    assert (tmp_path / "out/tags/index.html").is_file()
    assert (tmp_path / "out/tags/index.html.atom").is_file()


def test_what_cannot_be_made_takes_nothing_away(site, tmp_path):
    blog, out = filled(site), tmp_path / "out"
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "tagfeeds-tag.html").write_text("{% extends '_tagfeeds-tag.html' %}")
    export(out, blog, "--template-dir", folder)
    before = files(out)
    (folder / "tagfeeds-tag.html").write_text("{{ 1 / 0 }}")
    blog.sql("update post set title = 'Changed'")
    given = ("export", out, blog.path, "-m", metadata(blog.path.parent, blog.settings), "--template-dir", folder)
    failed = command(*given)
    assert (failed.exit_code, "could not be made (500). Nothing is taken away; run it again." in failed.output) == (1, True)
    assert set(before) <= set(files(out))
    (folder / "tagfeeds-tag.html").write_text("{% extends '_tagfeeds-tag.html' %}")
    assert command(*given).exit_code == 0
    assert all(b"Post 3" not in body for body in files(out).values())


def test_only_what_everybody_may_see_is_exported(site, tmp_path):
    blog, out = filled(site), tmp_path / "out"
    hidden = {"databases": {"blog": {"tables": {"post": {"allow": {"id": "root"}}}}}}
    export(out, blog, **hidden)
    assert not [name for name, body in files(out).items() if b"python" in body.replace(b"python-", b"")]
    # The same where permissions stand in a file of Datasette 1.0's own; the older one has none, and says so.
    config = tmp_path / "datasette.yaml"
    config.write_text(yaml.safe_dump(hidden))
    found = command("export", tmp_path / "other", blog.path, "-m", metadata(blog.path.parent, blog.settings), "-c", config)
    if hasattr(Datasette, "add_background_task"):
        assert (found.exit_code, files(tmp_path / "other")) == (0, files(out))
    else:
        assert (found.exit_code, "--config is for Datasette 1.0." in found.output) == (1, True)


def test_links_of_another_kind_make_every_page_anew(site, tmp_path):
    blog, out, other = filled(site), tmp_path / "out", tmp_path / "other"
    export(out, blog)
    whole = files(out)
    export(out, blog, "--relative")
    export(other, blog, "--relative")
    assert files(out) == files(other) != whole
    export(out, blog)
    assert files(out) == whole


def test_a_style_that_was_lost_takes_no_other_along(site, tmp_path):
    blog, out = filled(site), tmp_path / "out"
    export(out, blog)
    before = files(out)
    (out / "-/static/app.css").unlink()
    export(out, blog)
    assert files(out) == before


def test_a_source_that_cannot_be_read_takes_nothing_away(site, tmp_path):
    where = "is_draft = 0 and json(body) is not null"
    blog, out = filled(site, {**WEBLOG, "sources": {"post": {**WEBLOG["sources"]["post"], "where": where}}}), tmp_path / "out"
    blog.sql("update post set body = '{}'")
    export(out, blog)
    before = files(out)
    blog.sql("update post set body = '{' where id = 3")
    failed = command("export", out, blog.path, "-m", metadata(blog.path.parent, blog.settings))
    assert (failed.exit_code, "post cannot be read: malformed JSON" in failed.output, files(out)) == (1, True, before)


@pytest.mark.parametrize("settings", [WEBLOG, SETTINGS])
def test_a_locked_file_takes_nothing_away(site, tmp_path, settings):
    blog, out = filled(site, settings), tmp_path / "out"
    export(out, blog)
    before = files(out)
    with closing(sqlite3.connect(blog.path, isolation_level=None)) as connection:
        connection.execute("begin exclusive")
        failed = command("export", out, blog.path, "-m", metadata(blog.path.parent, blog.settings))
    assert (failed.exit_code, "Error: SQLite says: database is locked" in failed.output, files(out)) == (1, True, before)


def test_a_folder_that_cannot_be_written_is_told_of(site, tmp_path):
    blog = filled(site)
    failed = command("export", blog.path / "out", blog.path, "-m", metadata(blog.path.parent, blog.settings))
    assert (failed.exit_code, "blog.db/out cannot be written: " in failed.output) == (1, True)


def test_a_prefix_of_any_letters_is_encoded(site, tmp_path):
    blog = filled(site)
    export(tmp_path / "out", blog, "--prefix", "/ö x/")
    assert "https://example.org/%C3%B6%20x/tags/python.atom" in (tmp_path / "out/tags/python.atom").read_text()


def test_what_is_for_nobody_is_told(site, tmp_path):
    blog = filled(site)
    failed = command("export", tmp_path / "out", blog.path, "-m", metadata(blog.path.parent, blog.settings, allow=False))
    assert (failed.exit_code, "Error: Nothing here is for everyone to see." in failed.output) == (1, True)


def test_what_a_run_without_an_end_has_written_is_taken_away(site, tmp_path):
    """Drafts are exported by mistake, the run ends early, and the next has the settings right again."""
    blog, out, folder = filled(site), tmp_path / "out", tmp_path / "templates"
    blog.post(11, ["python", "secret"], title="Draft", is_draft=1)
    folder.mkdir()
    page = folder / "tagfeeds-tag.html"
    page.write_text("{% extends '_tagfeeds-tag.html' %}")
    export(out, blog, "--template-dir", folder)
    before, right = files(out), blog.settings
    blog.settings = {**right, "sources": {"post": {**right["sources"]["post"], "where": "1"}}}
    page.write_text("{% extends '_tagfeeds-tag.html' %}{% block title %}{{ 1 / ('tag2' not in words) }}{% endblock %}")
    ended = command("export", out, blog.path, "-m", metadata(blog.path.parent, blog.settings), "--template-dir", folder)
    assert (ended.exit_code, (out / "tags/secret.atom").exists()) == (1, True), ended.output
    page.write_text("{% extends '_tagfeeds-tag.html' %}")
    blog.settings = right
    export(out, blog, "--template-dir", folder)
    assert files(out) == before


def test_old_names_lead_to_new_ones(site, tmp_path):
    blog = filled(site, {**WEBLOG, "aliases": {"py": "python", "snake": "py", "lost": "nowhere"}})
    export(tmp_path / "out", blog)
    found = files(tmp_path / "out")
    assert found["_redirects"].decode().splitlines() == [
        f"/tags/{old}{form} /tags/python{form} 301" for old in ("py", "snake") for form in ("", *(f".{one}" for one in FORMATS))
    ]
    assert found["tags/snake.atom"] == found["tags/python.atom"]
    assert b'url=https://example.org/tags/python"' in found["tags/py/index.html"]
    assert "tags/lost/index.html" not in found


def test_the_sitemap_lists_the_pages_of_tags(site, tmp_path):
    blog = filled(site, {**WEBLOG, "hidden": ["tag1"]})
    export(tmp_path / "out", blog)
    tree = etree.parse(tmp_path / "out/sitemap-tags.xml")
    found = dict(zip(tree.xpath("//*[local-name()='loc']/text()"), tree.xpath("//*[local-name()='lastmod']/text()"), strict=True))
    names = ("python", "tag0", "tag2", "c~2B~2B", "a~2Fb", "caf%C3%A9", "a%20b", "node.js", "feed~2Eatom")
    assert set(found) == {"https://example.org/tags", *(f"https://example.org/tags/{name}" for name in names)}
    assert found["https://example.org/tags/tag0"] == "2020-01-09"


def test_what_export_needs(site, tmp_path):
    blog = filled(site, {**WEBLOG, "base_url": None})
    refused = command("export", tmp_path / "out", blog.path, "-m", metadata(blog.path.parent, blog.settings))
    assert (refused.exit_code, "base_url is needed" in refused.output) == (1, True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", [storage.name for storage in STORAGES])
@settings(max_examples=60 if os.environ.get("HYPOTHESIS_PROFILE") else 3, phases=PHASES)
@given(data=st.data())
def test_run_after_run_makes_what_one_run_makes(name, data, tmp_path_factory):
    storage, folder = BY_NAME[name], tmp_path_factory.mktemp("export")
    blog = Site(folder / "blog.db", {**WEBLOG, "sources": {"post": {**BASE, **storage.source}}})
    with closing(sqlite3.connect(blog.path, isolation_level=None)) as connection:
        connection.executescript(storage.schema)
        for number in range(3):
            execute(connection, data.draw(st.lists(statements(storage), min_size=1, max_size=12)), False)
            export(folder / "again", blog)
            export(folder / str(number), blog)
            assert files(folder / "again") == files(folder / str(number))
