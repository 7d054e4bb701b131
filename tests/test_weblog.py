"""The weblog's own rows give the weblog's own feed."""

import subprocess
import sys

import pytest
import yaml
from conftest import ATOM, ROOT, Site, texts
from datasette.app import Datasette

EXAMPLE = ROOT / "examples" / "weblog"


@pytest.fixture
def weblog(data):
    metadata = yaml.safe_load((EXAMPLE / "metadata.yml").read_text(encoding="utf-8"))
    site = Site(data / "seed.db", {})
    site._datasette = Datasette(immutables=[str(data / "seed.db")], metadata=metadata, template_dir=str(EXAMPLE / "templates"))
    return site


async def test_the_feed_of_andrew_godwin_is_reproduced(weblog, data, tmp_path):
    response = await weblog.get("/tags/andrew-godwin.atom")
    (tmp_path / "feed.xml").write_bytes(response.content)
    check = subprocess.run(
        [sys.executable, str(data.parent / "checks" / "seed_feed.py"), str(tmp_path / "feed.xml")], capture_output=True, text=True
    )
    assert check.stdout.strip().endswith("0 differences"), check.stdout + check.stderr
    assert check.returncode == 0


@pytest.mark.parametrize(("tag", "count"), [("django", 10), ("activitypub", 2)])
async def test_other_tags_give_their_subsets(weblog, tag, count):
    everything = await weblog.feed("/tags/andrew-godwin.atom")
    expected = [e for e in everything.xpath("a:entry", namespaces=ATOM) if tag in texts(e, "a:category/@term")]
    found = await weblog.feed(f"/tags/{tag}.atom")
    assert len(expected) == count
    assert texts(found, "a:entry/a:id") == [texts(entry, "a:id")[0] for entry in expected]
