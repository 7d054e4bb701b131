"""The pages in a real Chromium: with and without JavaScript, under a strict Content-Security-Policy, and for people who cannot see or point."""

import base64
import hashlib
import re
import sqlite3
import urllib.request
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from build import build
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from screenshots import chromium, served

pytestmark = [pytest.mark.live, pytest.mark.skipif(not which("chromium"), reason="Debian's chromium is not installed")]

expect.set_options(timeout=20_000)

# Answers that bring no policy of their own get the strictest that still lets a site load its own files.
STRICT = """
from datasette import hookimpl

@hookimpl
def asgi_wrapper(datasette):
    def wrap(app):
        async def strict(scope, receive, send):
            async def sending(event):
                if event["type"] == "http.response.start" and not any(name == b"content-security-policy" for name, _ in event["headers"]):
                    event = {**event, "headers": [*event["headers"], (b"content-security-policy", b"default-src 'self'")]}
                await send(event)
            await app(scope, receive, sending)
        return strict
    return wrap
"""
SEARCH = """
create virtual table essay_fts using fts5(title, body, content='essay');
insert into essay_fts (essay_fts) values ('rebuild');
"""
AXE = Path(find_spec("axe_playwright_python").origin).with_name("axe.min.js").read_text(encoding="utf-8")
RUN_AXE = """async () => (await axe.run("main.tf", {rules: {"target-size": {enabled: true}}})).violations
    .map(({id, nodes}) => `${id}: ${nodes.map(node => node.html + " " + node.failureSummary).slice(0, 3).join("; ")}`)"""
OURS = re.compile(r"/tags\b|/-/tagfeeds")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The demo, one of its tables searchable, under the strict policy."""
    folder = tmp_path_factory.mktemp("served")
    build(folder / "demo.db")
    connection = sqlite3.connect(folder / "demo.db")
    connection.executescript(SEARCH)
    connection.close()
    (folder / "plugins").mkdir()
    (folder / "plugins" / "strict.py").write_text(STRICT, encoding="utf-8")
    with served(folder) as address:
        yield address


@pytest.fixture(scope="module")
def theirs(address: str) -> set[str]:
    """The hashes of the scripts that Datasette itself writes into every page, which the policy stops and which are not ours."""
    html = urllib.request.urlopen(f"{address}/-/versions").read().decode()
    scripts = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", html, re.S)
    return {base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts}


@pytest.fixture
def opened(browser: Browser, address: str, theirs: set[str]) -> Iterator[Callable[..., Page]]:
    """Opens a page: opened("/tags", script=False). Whatever the console of one of our pages says at last fails the test."""
    contexts, errors = [], []

    def hear(message: ConsoleMessage) -> None:
        own = re.search(r"sha256-([^']+)", message.text)
        if message.type in ("error", "warning") and OURS.search(message.location["url"]) and not (own and own[1] in theirs):
            errors.append(message.text)

    def page(path: str, script: bool = True, **options: Any) -> Page:
        context = browser.new_context(java_script_enabled=script, base_url=address, **options)
        contexts.append(context)
        context.set_default_timeout(10_000)
        if script:
            context.grant_permissions(["clipboard-read", "clipboard-write"])
        made = context.new_page()
        made.on("console", hear)
        made.on("pageerror", lambda error: errors.append(str(error)))
        response = made.goto(path)
        assert response is not None
        assert response.headers["content-security-policy"] == "default-src 'self'"
        return made

    yield page
    for context in contexts:
        context.close()
    assert errors == []


def path_of(page: Page) -> str:
    return page.url.removeprefix("http://" + urlsplit(page.url).netloc)


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def names(page: Page) -> list[str]:
    """The tags that the index shows."""
    return [name for name in page.locator(".tf-index tbody tr:visible th").all_inner_texts() if name]


def number(text: str) -> int:
    return int(re.search(r"\d+", text)[0])


def titles(page: Page) -> list[str]:
    return page.locator(".h-entry h3 a").all_inner_texts()


def test_index_filters_as_one_types(opened: Callable[..., Page]) -> None:
    page = opened("/tags")
    before = names(page)
    page.get_by_label("Filter tags").press_sequentially("ASYNC")
    assert names(page) == [name for name in before if "async" in name] != []
    assert page.locator("#tf-found").inner_text().startswith(f"{len(names(page))} on this page")
    page.get_by_label("Filter tags").fill("")
    assert names(page) == before


def test_index_without_javascript(opened: Callable[..., Page]) -> None:
    page = opened("/tags", script=False)
    page.get_by_label("Filter tags").fill("async")
    page.get_by_role("button", name="Apply").click()
    assert asked(page)["q"] == ["async"]
    assert names(page)[0] == "async"
    assert all("async" in name for name in names(page))
    page = opened("/tags", script=False)
    page.get_by_label("async", exact=True).check()
    page.get_by_label("rss", exact=True).check()
    page.get_by_role("button", name="Combine").click()
    assert path_of(page) == "/tags/async,rss"


def test_index_is_sorted_by_its_headings(opened: Callable[..., Page]) -> None:
    page = opened("/tags")
    heading = page.locator("th[aria-sort]")
    assert heading.get_attribute("aria-sort") == "descending"
    page.locator("thead").get_by_role("link", name="Name").click()
    assert names(page) == sorted(names(page), key=str.casefold)
    assert heading.get_attribute("aria-sort") == "ascending"
    page.get_by_label("Initials").get_by_role("link", name="R", exact=True).click()
    assert names(page)[0].startswith("r")
    page.locator("thead").get_by_role("link", name="Latest").click()
    assert page.locator("th[aria-sort]").inner_text().startswith("Latest")


def test_index_of_one_type(opened: Callable[..., Page]) -> None:
    page = opened("/tags")
    page.get_by_label("Type").select_option(label="Essays")
    page.get_by_label("Used at least").select_option("5")
    page.get_by_role("button", name="Apply").click()
    assert asked(page)["type"] == ["essay"]
    counts = [int(text) for text in page.locator(".tf-index tbody td.tf-number:nth-of-type(4)").all_inner_texts()]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] >= 5
    assert page.get_by_label("Type").input_value() == "essay"


def test_combination_is_counted_while_it_is_built(opened: Callable[..., Page]) -> None:
    page = opened("/tags")
    said = page.locator("form[data-build] output")

    def counted() -> int:
        expect(said).to_have_attribute("aria-busy", "false")
        expect(said).to_have_text(re.compile(r"^\d+ items?$"))
        return number(said.inner_text())

    page.get_by_label("async", exact=True).check()
    page.get_by_label("rss", exact=True).check()
    either = counted()
    page.get_by_label("all of them").check()
    both = counted()
    page.get_by_role("button", name="Combine").click()
    assert path_of(page) == "/tags/async+rss"
    assert number(page.locator(".tf-meta b").first.inner_text()) == both < either
    page.goto("/tags")
    page.get_by_label("async", exact=True).check()
    expect(said).to_have_text(re.compile("item"))
    page.get_by_label("async", exact=True).uncheck()
    expect(said).to_have_text("Tick some tags above.")


@pytest.mark.parametrize("script", [True, False])
def test_tags_are_added_and_removed(opened: Callable[..., Page], script: bool) -> None:
    page = opened("/tags/asyncio", script=script)
    page.get_by_text("Add a tag").click()
    if script:
        page.get_by_label("Tag", exact=True).press_sequentially("pep")
        expect(page.locator("#tf-known option").first).to_have_text("peps")
    page.get_by_label("Tag", exact=True).fill("peps")
    page.get_by_role("button", name="Add", exact=True).click()
    assert path_of(page) == "/tags/asyncio+peps"
    page.get_by_text("Add a tag").click()
    page.get_by_label("How").select_option(label="and not")
    page.get_by_label("Tag", exact=True).fill("async")
    page.get_by_role("button", name="Add", exact=True).click()
    assert path_of(page) == "/tags/asyncio+peps+-async"
    page.get_by_role("link", name="Without asyncio").click()
    assert path_of(page) == "/tags/peps+-async"
    page.get_by_role("link", name="Without not async").click()
    assert path_of(page) == "/tags/peps"
    assert page.locator("h1").inner_text() == "Everything tagged peps"


@pytest.mark.parametrize("script", [True, False])
def test_timeline_narrows(opened: Callable[..., Page], script: bool) -> None:
    page = opened("/tags/asyncio", script=script)
    bars = page.locator(".tf-time svg a")
    shown = [(bar.locator("title").text_content(), bar.get_attribute("href")) for bar in bars.all()]
    page.get_by_text("As a list").click()
    assert [(link.inner_text(), link.get_attribute("href")) for link in page.locator(".tf-list a").all()] == shown
    year, count = re.match(r"(\d{4}): (\d+)", shown[-1][0]).groups()
    bars.last.click()
    assert asked(page)["year"] == [year]
    assert int(page.locator(".tf-meta b").first.inner_text()) == int(count) == len(titles(page))
    assert page.locator(".tf-year").all_inner_texts() == [year]
    assert year in page.locator("#tf-address").get_attribute("href")
    page.locator(".tf-time svg a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**month=*")
    assert asked(page)["year"] == [year]


def test_types_narrow(opened: Callable[..., Page]) -> None:
    page = opened("/tags/asyncio")
    link = page.get_by_label("Types").get_by_role("link", name="Milestones")
    count = number(link.inner_text())
    link.click()
    assert asked(page) == {"type": ["milestone"]}
    assert len(titles(page)) == count
    assert "type=milestone" in page.locator("#tf-address").get_attribute("href")
    assert page.get_by_label("Types").locator("[aria-current]").inner_text().strip() == f"Milestones {count}"
    page.get_by_label("Types").get_by_role("link", name="All").click()
    assert path_of(page) == "/tags/asyncio"


@pytest.mark.parametrize("script", [True, False])
def test_search_within(opened: Callable[..., Page], script: bool) -> None:
    page = opened("/tags/asyncio", script=script)
    page.get_by_label("Search within").fill("uvloop")
    page.get_by_role("button", name="Search").click()
    assert asked(page)["q"] == ["uvloop"]
    assert "Ten years of a borrowed loop" in titles(page)
    page.get_by_label("Search within").fill("nowhereatall")
    page.get_by_role("button", name="Search").click()
    assert titles(page) == []
    assert "Nothing is here" in page.locator(".h-feed").inner_text()


def test_address_is_copied(opened: Callable[..., Page]) -> None:
    page = opened("/tags/asyncio?type=link")
    page.get_by_role("button", name="Copy address").click()
    expect(page.locator("[data-copy]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#tf-address").get_attribute("href")
    assert opened("/tags/asyncio", script=False).locator("[data-copy]").is_hidden()


def test_paging(opened: Callable[..., Page]) -> None:
    page = opened("/tags/asyncio?size=7")
    seen = [titles(page)]
    while page.get_by_role("link", name="Older items").count():
        page.get_by_role("link", name="Older items").click()
        seen.append(titles(page))
    assert [len(some) for some in seen] == [7, 7, 3]
    assert len({title for some in seen for title in some}) == 17
    page.get_by_role("link", name="Newer items").click()
    assert titles(page) == seen[1]
    page.get_by_role("link", name="Newest items").click()
    assert titles(page) == seen[0]


def test_random_item(opened: Callable[..., Page]) -> None:
    page = opened("/tags/asyncio")
    page.get_by_role("link", name="Random item").click()
    assert re.match(r"/demo/(essay|link|milestone)/\d+$", path_of(page))


def test_language_is_said(opened: Callable[..., Page]) -> None:
    assert opened("/tags").locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize(
    "path",
    [
        "/tags?min=5",
        "/tags/asyncio?size=8",
        "/tags/async,rss?size=3",
        "/tags/asyncio+peps+-async",
        "/tags/asyncio?type=link&year=2016",
        "/-/tagfeeds",
    ],
)
def test_everybody_can_use_it(opened: Callable[..., Page], path: str) -> None:
    """Axe finds nothing, wide and narrow, light and dark, with everything unfolded; and nothing reaches over the edge of a phone."""
    page = opened(path)
    page.evaluate("for (const one of document.querySelectorAll('main.tf details')) one.open = true")
    page.evaluate(AXE)
    for width in (1200, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate(RUN_AXE) == [], (width, scheme)
