"""Bodies: what they become, what they may cost, and what never gets through."""

import html
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasette_tagfeeds.content import MAX_SIZE, excerpt, render

BASE = "https://example.org/a/post"


def whole(unit: str, before: str = "") -> str:
    """A body of the greatest size, of a beginning and repetitions."""
    return (before + unit * (MAX_SIZE // len(unit)))[:MAX_SIZE]


def numbered(unit: str) -> str:
    """As `whole`, with a number in each repetition."""
    return "".join(unit.format(number) for number in range(MAX_SIZE // len(unit)))[:MAX_SIZE]


HOSTILE = {
    "rt nests": ("html", whole("<rt>")),
    "rp nests": ("html", whole("<rp>")),
    "rtc nests": ("html", whole("<rtc>")),
    "unmatched end tags": ("html", whole("<div></i>")),
    "end tags out of scope": ("html", whole("<span><div></span></div>")),
    "end tags behind a cell": ("html", whole("<b><table><tr><td></b></td></tr></table>")),
    "end tags in comments": ("html", whole("<div><!--</div>-->")),
    "end tags in attributes": ("html", whole('<div><i title="</i></div>"></i>')),
    "items in terms": ("html", whole("<li><td></td><dd><td></td>")),
    "svg": ("html", whole("<svg><p><li>")),
    "math": ("html", whole("<li>", "<math>")),
    "svg of one name": ("html", whole("<svg>")),
    "formatting opened again": ("html", whole("<p><b></p>x")),
    "formatting of many sorts": ("html", numbered("<p><b title={}>")),
    "formatting opened again and again": ("html", "<p>" + "".join(f"<b title={i}>" for i in range(240)) + "</p>" + "<div>x</div>" * 19_000),
    "long formatting opened again": ("html", f"<p><b title={'x' * 100_000}></p>" + "<div>x</div>" * 9_000),
    "links mis-nested": ("html", whole("<a><div></a>")),
    "paragraphs out of a table": ("html", whole("<p>x", "<table>")),
    "attributes of one tag": ("html", "<a " + numbered("a{} ") + ">"),
    "attributes of the page": ("html", numbered("<html a{}>")),
    "option groups": ("html", whole("<optgroup>")),
    "ampersands": ("html", whole("&")),
    "image candidates": ("html", "<img srcset='" + numbered("a{}, ") + "'>"),
    "commas": ("html", "<img srcset='" + whole(",") + "'>"),
    "open quotes": ("html", whole('<a b="')),
    "open comments": ("html", whole("<!--")),
    "markdown of brackets": ("markdown", whole("[")),
    "markdown of emphasis": ("markdown", whole("*a_ ")),
    "markdown of quotes": ("markdown", whole("> ```\na\n")),
    "markdown of lazy lines": ("markdown", whole("a\n", "> " * 100 + "a\n")),
    "markdown of tables": ("markdown", whole("a\n", "|" + "a|" * 1000 + "\n|" + "-|" * 1000 + "\n")),
    "markdown of titles": ("markdown", whole("a\n", '[x]: a "')),
    "markdown of references": ("markdown", "[a]: http://x/" + "A" * 20_000 + "\n\n" + "[a]" * 2_000),
}
ASK = "import sys\nfrom datasette_tagfeeds.content import render\nrender(sys.stdin.read(), *sys.argv[1:], False)"


@pytest.mark.parametrize(("kind", "body"), HOSTILE.values(), ids=HOSTILE.keys())
def test_no_body_takes_long(kind, body):
    # In a process of its own, for what nh3 does cannot be stopped; unbounded, most of these take minutes.
    subprocess.run([sys.executable, "-c", ASK, kind, BASE], input=body, encoding="utf-8", check=True, timeout=10)


@pytest.mark.parametrize(
    "name",
    [
        "unmatched end tags",
        "end tags out of scope",
        "end tags behind a cell",
        "end tags in comments",
        "end tags in attributes",
        "items in terms",
        "long formatting opened again",
        "paragraphs out of a table",
        "markdown of references",
    ],
)
def test_what_would_take_long_is_no_body(name):
    kind, body = HOSTILE[name]
    assert render(body, kind, BASE, False) is None


@pytest.mark.parametrize(
    ("body", "kind", "trusted"),
    [
        ("[x](y) " * 4_000, "markdown", False),
        ("<" * (MAX_SIZE // 2), "text", True),
        ("<a href=x></a>" * 15_000, "html", False),
        ("<a href=x></a>" * 30_000, "html", True),
    ],
)
def test_size_is_also_that_of_what_comes_out(body, kind, trusted):
    assert len(body) < MAX_SIZE
    assert render(body[:1000], kind, BASE, trusted)
    assert render(body, kind, f"{BASE}/{'x' * 150}/", trusted) is None


def test_markdown_that_is_too_much_is_still_an_excerpt():
    assert excerpt("*Some* words\n\n[a]: http://x/" + "A" * 9000 + "\n\n" + "[a]" * 1000, "markdown").startswith("*Some* words [a]")


@pytest.mark.parametrize(
    "body",
    [
        "<ul>" + "<li><p>word" * 5_000 + "</ul>",
        "<table>" + "<tr><td><p>1<td>2" * 3_000 + "</table>",
        "<dl>" + "<dt>a<dd>b" * 3_000 + "</dl>",
        "<p>one<p>two" * 5_000,
        "<p>a <b>b</b> <a href='x'>c <i>d</i></a></p>\n" * 3_000,
        "<ruby>漢<rt>kan</ruby>" * 2_000,
        "<form><p>a</form><section><main>b</main></section>" * 500,
    ],
)
def test_ordinary_long_bodies_are_kept(body):
    assert render(body, "html", BASE, False)


def test_text_keeps_its_place_when_sanitised():
    body = "<p>a<section>b</section>1 < 2 & 3 &lt; 4 <textarea>c<b></textarea><svg><text>no</text></svg><svg/>d<math>e"
    assert render(body, "html", BASE, False) == "<p>a</p>b1 &lt; 2 &amp; 3 &lt; 4 c&lt;b&gt;de"


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ('<!-- <a href="x"> --><a href="x">', f'<!-- <a href="x"> --><a href="{BASE[:-4]}x">'),
        ('<img alt="say src=b" src=b>', f'<img alt="say src=b" src="{BASE[:-4]}b">'),
        ("<img alt='a>b src=b' SRC = b/>", f"<img alt='a>b src=b' SRC = \"{BASE[:-4]}b/\">"),
        ("<a title=href=x data-href=x HREF='?a&amp;b'>", f'<a title=href=x data-href=x HREF="{BASE}?a&amp;b">'),
        ("<script src=a>'<a href=x>'</script><a href=#y>", f'<script src="{BASE[:-4]}a">\'<a href=x>\'</script><a href="{BASE}#y">'),
        ("<img srcset='http://x/é 1x,  b 2x'>", f'<img srcset="http://x/é 1x,  {BASE[:-4]}b 2x">'),
        ("</a href=x><a href=><a href='x", "</a href=x><a href=><a href='x"),
    ],
)
def test_trusted_addresses_change_where_they_stand_and_nowhere_else(written, made):
    assert render(written, "html", BASE, True) == made


QUOTES = st.sampled_from(['"', "'", ""])
SPACES = st.sampled_from([" ", "\n", "\t ", " / "])
PLAIN = st.sampled_from(["text", "é&amp;", "&lt;a href=x>", "< b", "a > b", "&#x41", "<!-- <a href=x> -->", "<!DOCTYPE html>", "<?pi?>", "</P>",
                         "<script>'<a href=x>'</SCRIPT>", "<style><img src=x></style >", "<textarea><a href=x></textarea>", "\r\n", "\x00", "'", '"'])  # fmt: skip
NAMES = st.sampled_from(["href", "SRC", "poster", "Cite"])
ABSOLUTE = st.sampled_from(["http://x.org/é?a&amp;b", "HTTPS://X/#y", "mailto:a@b", "data:x,y"])
OTHER = st.sampled_from(
    [" alt='say src=b'", ' title=" href=x <a>"', " data-src=x", " src", " hidden ", " x =href=x", "\nclass=a/b", " x='\"'"]
)


@st.composite
def attributes(draw, values):
    """(written, made): an attribute whose value is one of (written, made)."""
    if draw(st.booleans()):
        return (draw(OTHER),) * 2
    (written, made), quote, before = draw(values), draw(QUOTES), f"{draw(SPACES)}{draw(NAMES)}{draw(st.sampled_from(['=', ' = ']))}"
    as_written = f"{before}{quote}{written}{quote}"
    return as_written, as_written if written == made else f'{before}"{made}"'


@st.composite
def bodies(draw, values):
    """(written, made): HTML of pieces."""
    written = made = ""
    for _ in range(draw(st.integers(0, 6))):
        name = draw(st.sampled_from(["a", "IMG", "x-y", "iFrame1"]))
        found = draw(st.lists(attributes(values), max_size=3))
        end, text = draw(st.sampled_from([">", " >", " />"])), draw(PLAIN)
        written += f"<{name}{''.join(one for one, _ in found)}{end}{text}"
        made += f"<{name}{''.join(one for _, one in found)}{end}{text}"
    return written, made


@given(bodies(ABSOLUTE.map(lambda value: (value, value))))
def test_trusted_bodies_with_absolute_addresses_stay_byte_for_byte(body):
    assert render(body[0], "html", BASE, True) == body[0]


RELATIVE = st.sampled_from(
    [("x", "https://example.org/a/x"), ("/y?a&amp;b", "https://example.org/y?a&amp;b"), ("#z", f"{BASE}#z"), ("//h/", "https://h/")]
)


@given(bodies(st.one_of(RELATIVE, ABSOLUTE.map(lambda value: (value, value)))))
def test_trusted_bodies_change_in_their_relative_addresses_only(body):
    assert render(body[0], "html", BASE, True) == body[1]


NASTY = st.sampled_from(
    ["<script>", "</script>", "secret()", "<style>", "</style>", "<svg>", "</svg>", "<math>", "<mtext>", "<a href=", "'", '"', ">", "<", "/", " ",
     "javascript:secret()", "jav&#x09;ascript:x", "<img src=x onerror=secret()>", "<p onclick='secret()'", " onload=x", "<!--", "-->", "--!>", "<![CDATA[", "]]>",
     "<iframe srcdoc='<script>'>", "<table>", "<td>", "<b>", "</b>", "<p>", "<noscript>", "</noscript>", "<title>", "</title>", "<textarea>",
     "</textarea>", "<xmp>", "<template>", "<select>", "<plaintext>", "<base href=//evil>", "<form action=javascript:x>", "data:text/html,x", "\x00", "&lt;", "\n"]
)  # fmt: skip


@given(st.lists(NASTY, max_size=20).map("".join), st.sampled_from(["html", "markdown", "text"]))
def test_nothing_that_runs_gets_through(body, kind):
    made = render(body, kind, BASE, False)
    for tag in re.findall(r"<[^>]*>", made):
        name = re.match(r"</?(\w*)", tag)[1]
        assert name not in {
            "script",
            "style",
            "svg",
            "math",
            "iframe",
            "base",
            "form",
            "template",
            "noscript",
            "title",
            "textarea",
            "xmp",
            "",
        }
        bare = re.sub(r'"[^"]*"', '""', tag)
        assert not re.search(r"\son\w+\s*=|srcdoc|style=", bare)
        assert not re.search(r'(href|src|cite|poster)="(?!https?:|mailto:|tel:)', tag)


def test_scripts_and_styles_leave_no_text():
    body = "a<script>secret('</p>')</script >b<style>secret{}</STYLE>c<script>secret"
    assert render(body, "html", BASE, False) == "abc"
    assert excerpt(body, "html") == "a b c"


@given(st.lists(st.one_of(NASTY, st.just("&amp;"), st.just("word ")), max_size=30).map("".join))
def test_an_excerpt_is_one_line(body):
    words = excerpt(body, "html")
    assert words == " ".join(words.split())
    assert len(words) <= 301
    assert not re.search(r"<(a|b|p|script|style|img)\b[^<]*>", excerpt(body.replace("&lt;", ""), "html"))


@pytest.mark.parametrize("length", range(1, 12))
def test_an_excerpt_does_not_end_within_a_reference_or_tag(length):
    for cut in range(20):
        body = "<i></i>" * (length * 40 // 7 - 2) + "x" * cut + "&amp;&#60;<b title='&lt;'>&mdash;" * 20
        assert not re.search(r"&[#a-z]|<[a-z]", excerpt(body, "html", length))
        assert html.unescape(excerpt(body, "html", length)) == excerpt(body, "html", length)


def test_an_excerpt_parts_blocks_and_not_words():
    assert (
        excerpt("<p>It is <code>uvloop</code>, an <em>event</em>-loop.</p><p>And<br>more.</p>", "html")
        == "It is uvloop, an event-loop. And more."
    )
