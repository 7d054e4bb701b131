"""The robots.txt that we advise, read as RFC 9309 says, over the addresses that a site really links to."""

import re
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from fronts import EXAMPLES, example
from lxml import html

pytestmark = pytest.mark.live

HOST = "https://example.org"
UNRESERVED = re.compile("%(2D|2E|5F|7E|3[0-9]|[46][1-9A-F]|[57][0-9A]|4[1-9A-F])", re.I)
# As nasty as tags are.
NASTY = (
    "c++",
    "a,b",
    "(x)",
    "-lead",
    "@at",
    "a b",
    "café",
    "what?",
    "50%",
    "~tilde",
    "node.js",
    "x.atom",
    "a/b",
    "c#",
    "日本",
    "%2B",
    "random",
    "-",
)


def spelt(path: str) -> str:
    """An address as it is compared (§2.2.2): nothing encoded that need not be, and in capitals what is."""
    octets = "".join(char if char.isascii() else "".join(f"%{byte:02X}" for byte in char.encode()) for char in path)
    return re.sub("%[0-9a-fA-F]{2}", lambda found: unquote(found[0]) if UNRESERVED.fullmatch(found[0]) else found[0].upper(), octets)


def rules(robots: str) -> list[tuple[bool, str]]:
    """(allowed, pattern) of each rule for everybody; the file has one group."""
    lines = [line.split("#")[0].strip() for line in robots.splitlines()]
    assert [line for line in lines if line.lower().startswith("user-agent:")] == ["User-agent: *"]
    found = [
        re.fullmatch("(Allow|Disallow):\\s*(\\S+)", line) for line in lines if line and not line.startswith(("User-agent:", "Sitemap:"))
    ]
    return [(one[1] == "Allow", spelt(one[2])) for one in found if one]


def allowed(robots: str, address: str) -> bool:
    """What RFC 9309 §2.2.2 makes of the rules: of those that match, the longest; of two as long, the one that allows."""
    parts = urlsplit(address)
    path = spelt(parts.path + (f"?{parts.query}" if "?" in address else ""))
    fit = [(len(pattern), allow) for allow, pattern in rules(robots) if _fits(pattern, path)]
    return max(fit)[1] if fit else True


def _fits(pattern: str, path: str) -> bool:
    stem, end = (pattern[:-1], r"\Z") if pattern.endswith("$") else (pattern, "")
    return re.match(".*".join(map(re.escape, stem.split("*"))) + end, path, re.S) is not None


def kind(address: str, base: str = "/tags") -> str:
    """What an address of ours is, told by how addresses are written."""
    parts = urlsplit(address)
    rest = parts.path.removeprefix(base)
    if parts.query:
        return "narrowed"
    if not rest.startswith("/"):
        return "list"
    segment = rest[1:]
    if segment.endswith((".atom", ".rss", ".json")):
        return "feed"
    return "random" if "/" in segment else "combination" if re.search("[+,()]|^-", segment) else "tag"


async def crawled(site, prefix: str = "", path: str = "/tags", limit: int = 150) -> dict[str, bool]:
    """Every address of tags that the pages link to, from all that can be reached, combinations too; and whether some link may be followed."""
    base = prefix + path
    waiting, asked, links = [base], set(), {}
    while waiting and len(asked) < limit:
        path = waiting.pop(0)
        # Datasette's own client puts the prefix before what it is asked for.
        answer = await site.get(path.removeprefix(prefix))
        assert answer.status_code == 200, path
        asked.add(path)
        said = "nofollow" in answer.headers.get("x-robots-tag", "")
        for link in html.fromstring(answer.text).iter("a", "link"):
            address = urljoin(HOST + path, link.get("href"))
            # A site says its own name, and that of this test.
            place = address.removeprefix(HOST).removeprefix("http://localhost").split("#")[0]
            if not re.match(rf"{re.escape(base)}(?![a-z])", place):
                continue
            links[place] = links.get(place, False) or not (said or "nofollow" in (link.get("rel") or ""))
            if (
                kind(place, base) in ("tag", "combination", "list")
                and place not in asked
                and place not in waiting
                and not re.search(r"\.\w+$", place)
            ):
                waiting.append(place)
    return links


@pytest.fixture
def robots():
    return example("robots.txt", {})


def check(robots: str, links: dict[str, bool], base: str = "/tags") -> dict[str, int]:
    """Every link is as we say; and how many of each kind there were."""
    counts: dict[str, int] = {}
    for place, followed in links.items():
        what = kind(place, base)
        counts[what] = counts.get(what, 0) + 1
        if what in ("combination", "narrowed", "random"):
            assert not allowed(robots, place), place
            # Of what is narrowed, the next page is what a reader goes on to.
            assert not followed or what == "narrowed", f"{place} is linked without nofollow"
        else:
            assert allowed(robots, place), place
    return counts


async def test_crawlers_get_every_tag_and_no_combination(demo, robots):
    counts = check(robots, await crawled(demo))
    assert counts["tag"] > 20
    assert counts["feed"] > 20
    assert counts["combination"] > 100
    assert counts["narrowed"] > 100
    assert counts["random"] > 5


async def test_tags_of_any_characters_are_let_in(site, robots):
    one = site({"sources": {"post": {"html": "body"}}})
    for number, tag in enumerate(NASTY):
        one.post(number, [tag, "python", NASTY[number - 1]])
    links = await crawled(one)
    counts = check(robots, links)
    assert counts["tag"] == len(NASTY) + 1
    for place in (place for place in links if kind(place) == "tag"):
        for format in ("atom", "rss", "json"):
            assert allowed(robots, f"{place}.{format}")


async def test_under_a_prefix_the_rules_say_it(site, robots):
    one = site({"path": "/topics", "sources": {"post": {"html": "body"}}})
    one.post(1, ["python", "sqlite"])
    one.post(2, ["python", "c++"])
    one.datasette._settings["base_url"] = "/data/"
    links = await crawled(one, "/data", "/topics")
    assert check(robots.replace("/tags", "/data/topics").replace("/-/", "/data/-/"), links, "/data/topics")["combination"] >= 2


def test_what_the_page_shows_stands_in_the_file(robots):
    shown = re.search("```\n(User-agent.*?)```", (EXAMPLES.parent.parent / "docs" / "edge.md").read_text(encoding="utf-8"), re.S)
    assert shown
    assert set(rules(shown[1])) <= set(rules(robots))
    assert len(rules(shown[1])) > 10


@pytest.mark.parametrize(
    ("address", "let_in"),
    [
        ("/tags", True),
        ("/tags.atom", True),
        ("/tags.opml", True),
        ("/tags?q=x", False),
        ("/tags/python", True),
        ("/tags/feed-readers", True),
        ("/tags/c~2B~2B", True),
        ("/tags/c%7E2B%7E2B", True),
        ("/tags/caf%c3%a9", True),
        ("/tags/python.atom", True),
        ("/tags/python.atom?year=2020", False),
        ("/tags/python+sqlite", False),
        ("/tags/python%2Bsqlite", False),
        ("/tags/python%2csqlite", False),
        ("/tags/python,sqlite", False),
        ("/tags/python+sqlite.atom", True),
        ("/tags/-ai", False),
        ("/tags/%2Dai", False),
        ("/tags/(a,b)+c", False),
        ("/tags/%28a", False),
        ("/tags/python/random", False),
        ("/tags/random", True),
        ("/-/tagfeeds", False),
        ("/-/static-plugins/datasette_tagfeeds/tagfeeds.css", True),
        ("/blog/post/1", True),
    ],
)
def test_one_address(robots, address, let_in):
    assert allowed(robots, address) == let_in
