"""Holds the documents of test_documents.py against the W3C feed validator, offline: python tests/validate.py CHECKOUT [SITE ...]

CHECKOUT is a checkout of github.com/w3c/feedvalidator, whose code is on no package index; it needs html5lib and lxml.
Prints every error and warning that is not accepted below, with how often and where first, and leaves with 1 if there is any.
"""

import os
import re
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from test_documents import MADE, SITES, collect

# Findings that are not ours to mend: their kinds, where they occur (a pattern over the site's name and what is found), and why.
ACCEPTED = [
    ("DuplicateUpdated", "", "rows that have one date have one date"),
    ("ImplausibleDate", "1970-01-01T00:00:00", "the date of an empty feed, which has none: never the clock"),
    ("ImplausibleDate", "^nasty", "rows may date from 1899, and say that they changed in 2919"),
    ("BadCharacters", "^nasty", "U+FFFD, which stands for what is no UTF-8 in the database"),
    ("BadCharacters", "^til", "its text on encodings quotes some that is encoded twice"),
    (
        "ContainsHTML ContainsUndeclaredHTML CharacterData ContainsEmail",
        "",
        "plain text that speaks of tags, or that holds them; escaped once",
    ),
    ("MissingTextualContent", "", "a row of nothing but a title"),
    ("InvalidUriChar", r"http://\[", "the validator takes no IPv6 address (RFC 3986 has them)"),
    ("NotHtml", "Invalid codepoint in stream", "non-characters beyond U+FFFF, which XML allows"),
    ("NotHtml", "'parent': 'outline'", "the title of an outline is plain text"),
    ("NotHtml", "^weblog", "the weblog's own template, kept byte for byte, ends a <small> twice"),
    ("NotHtml SecurityRisk SecurityRiskAttr ContainsRelRef", "^nasty and trusted", "what is trusted stays as it is written"),
    ("NonCanonicalURI", "tags/e%CC%81", "tags that differ in Unicode's normal form are two"),
    (
        "NonCanonicalURI SchemeNotIANARegistered InvalidFullLink InvalidUUID",
        "^nasty.* 'id'",
        "the setting id: the publisher's own ids stay",
    ),
    ("NonCanonicalURI", "^nasty.*'curi'", "the same"),
    ("UriNotIri", "^nasty.* 'id'", "the same; RFC 4287 §4.2.6 takes IRIs"),
    ("DuplicateEntries DuplicateValue", "^nasty.*https://a.example/a'", "the same; two rows hold one id"),
]


def accepted(kind: str, said: str) -> bool:
    """True for what is in the list above."""
    return any(kind in kinds.split() and re.search(pattern, said) for kinds, pattern, _ in ACCEPTED)


def main(checkout: str, *names: str) -> int:
    """Validate the sites of these names, or all."""
    sys.path.insert(0, str(Path(checkout) / "src"))
    import feedvalidator
    from feedvalidator.logging import Error, Warning

    found: dict[str, list[str]] = defaultdict(list)
    count = 0
    for name in names or (SITES if "TAGFEEDS_DATA" in os.environ else MADE):
        with tempfile.TemporaryDirectory() as folder:
            documents = collect(name, Path(folder), lambda: Path(os.environ["TAGFEEDS_DATA"]))
        for document in documents:
            if document.format == "json":
                continue
            count += 1
            lines = document.content.decode().split("\n")
            for event in feedvalidator.validateString(document.content, base=document.address)["loggedEvents"]:
                kind = type(event).__name__
                if isinstance(event, (Error, Warning)):
                    told = {key: value for key, value in event.params.items() if key not in ("backupline", "backupcolumn")}
                    if accepted(kind, f"{name} {told}"):
                        continue
                    line = lines[event.params.get("line", 1) - 1]
                    column = event.params.get("column", 0)
                    level = "error" if isinstance(event, Error) else "warning"
                    found[f"{level} {kind} in {name}"].append(
                        f"{document.path} {str(told)[:300]} …{line[max(0, column - 120) : column + 60]}…"
                    )
    for kind, places in sorted(found.items()):
        print(f"{kind}, {len(places)} times:", *places[: 3 if len(names) else 1], sep="\n    ")
    print(f"{count} documents, {sum(map(len, found.values()))} findings")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
