"""What is installed is what is tested, and the documents say what is there."""

import re
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from conftest import ROOT

import datasette_tagfeeds
from datasette_tagfeeds import config, source_settings

DOCS = ROOT / "docs"


def headings(name: str) -> set[str]:
    """The names in code that the headings of a document hold."""
    text = (DOCS / name).read_text(encoding="utf-8")
    return {code for line in text.splitlines() if line.startswith("#") for code in re.findall(r"`([^`]+)`", line)}


def test_the_plugin_is_found_by_its_entry_point():
    assert [point.value for point in entry_points(group="datasette") if point.name == "tagfeeds"] == ["datasette_tagfeeds"]


def test_package_data_is_beside_the_code():
    package = Path(datasette_tagfeeds.__file__).parent
    assert (package / "static" / "tagfeeds.css").exists()
    assert (package / "templates" / "tagfeeds-tag.html").exists()


@pytest.mark.parametrize("known", [set(config.KNOWN), set(source_settings.KNOWN)])
def test_every_setting_is_described(known):
    assert known <= headings("settings.md")


def test_no_other_setting_is_described():
    assert headings("settings.md") <= {*config.KNOWN, *source_settings.KNOWN}


def test_every_route_and_template_is_described():
    formats = {f"/tags{place}.{suffix}" for place in ("", "/{expression}") for suffix in ("atom", "rss")}
    others = {
        "/tags",
        "/tags.json",
        "/tags.opml",
        "/tags.feed.json",
        "/tags/{expression}",
        "/tags/{expression}.json",
        "/tags/{expression}/random",
    }
    assert formats | others | {"/-/tagfeeds"} <= headings("routes.md")
    assert {"datasette tagfeeds check", "datasette tagfeeds settings"} <= headings("health.md")
    assert {"datasette tagfeeds index"} <= headings("indexing.md")
    assert {"datasette tagfeeds ping"} <= headings("websub.md")
    assert {"datasette tagfeeds export"} <= headings("export.md")
    assert {"datasette tagfeeds token"} <= headings("private-feeds.md")
    assert {"datasette publish"} <= headings("publishing.md")
    assert {"tagfeeds-entry-<source>.html", "tagfeeds-tag.html", "tagfeeds-index.html", "tagfeeds-health.html"} <= headings("templates.md")
    assert {"?_tag=python", "?_facet_tag=post"} <= headings("in-datasette.md")
