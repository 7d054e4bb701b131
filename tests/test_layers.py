"""Imports point downwards through the strata, and a few things are done in one place only. Runs without pytest too."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "datasette_tagfeeds"
STRATA = (
    ("errors", "model", "values", "sql", "date_texts", "dates", "compat"),
    ("sources", "survey"),
    ("expression", "relations", "postings", "statements", "reads", "fields", "checks"),
    ("looks", "columns", "storages", "discover", "block", "tag_settings", "source_settings", "config", "duplicates"),
    ("once", "memory", "markdown", "content", "bodies", "store", "entries", "health", "site"),
    ("formats",),
    ("web",),
    ("edge",),
    ("integrations", "cli", "asgi", "hookspecs", ""),
)
# Within a stratum, what may import what it stands beside: left of it in the list above.
VOCABULARY = STRATA[0]
ONLY_IN = {
    "feedgen": ("formats/atom.py", "formats/rss.py"),
    "sqlite3": (
        "store/",
        "postings/",
        "survey.py",
        "reads.py",
        "memory.py",
        "dates.py",
        "sources/delimited.py",
        "edge/",
        "cli/",
        "__init__.py",
    ),
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    """(path inside the package, syntax tree) of every module."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: str) -> str:
    """The first part of a module's dotted name inside the package; '' for the package itself."""
    return path.removesuffix(".py").split("/")[0].replace("__init__", "")


def imported(path: str, tree: ast.Module) -> Iterator[tuple[str, ...]]:
    """The dotted names, inside the package, that a module imports."""
    here = tuple(path.removesuffix(".py").split("/")[:-1])
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            start = here[: len(here) - node.level + 1]
            if node.module:
                yield (*start, *node.module.split("."))
            else:
                yield from ((*start, alias.name) for alias in node.names)


def place(name: str) -> tuple[int, int]:
    """The stratum of a module, and its place in it."""
    return next((number, stratum.index(name)) for number, stratum in enumerate(STRATA) if name in stratum)


def test_every_module_has_a_stratum() -> None:
    known = {name for stratum in STRATA for name in stratum}
    assert {name_of(path) for path, _ in modules()} <= known


def test_imports_point_downwards() -> None:
    wrong = [
        f"{path} imports {'.'.join(target)}"
        for path, tree in modules()
        for target in imported(path, tree)
        if target[0] != name_of(path) and place(target[0]) >= place(name_of(path))
    ]
    assert wrong == []


def test_formats_see_the_vocabulary_only() -> None:
    wrong = [
        f"{path} imports {'.'.join(target)}"
        for path, tree in modules()
        if path.startswith("formats/")
        for target in imported(path, tree)
        if target[0] not in VOCABULARY
    ]
    assert wrong == []


def test_some_things_are_done_in_one_place() -> None:
    for library, allowed in ONLY_IN.items():
        users = {path for path, tree in modules() if library in top_level_imports(tree)}
        assert all(user.startswith(allowed) for user in users), f"{library} is for {allowed}"


def test_only_access_asks_for_permissions() -> None:
    askers = {
        path
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("table_visibility", "allowed", "permission_allowed")
    }
    assert askers == {"web/access.py"}


def test_only_the_store_asks_databases() -> None:
    askers = {
        path
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("get_database", "execute_fn", "execute_write", "execute_write_fn")
    }
    assert askers == {"store/databases.py"}


def test_the_package_holds_hooks_only() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            assert [ast.unparse(decorator) for decorator in node.decorator_list] == ["hookimpl"], node.name


def top_level_imports(tree: ast.Module) -> set[str]:
    """The first names of all absolute imports of a module."""
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.split(".")[0] for name in names}


if __name__ == "__main__":
    for name, check in list(globals().items()):
        if name.startswith("test_"):
            check()
    print("The strata hold.")
