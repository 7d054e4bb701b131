"""What `datasette publish` makes of a site, run for real: its own lines, in an environment that has nothing but what they install."""

import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, SCHEMA, SETTINGS, UNHURRIED, Site
from datasette.version import __version__ as DATASETTE
from serving import ask, datasette, free_port, running, served, until

pytestmark = [pytest.mark.publish, pytest.mark.live]

# What the programs that publish are asked on the way; the second leaves what it would send away in a folder.
HEROKU = "#!/bin/sh\necho heroku-builds 0.0.29\n"
GCLOUD = '#!/bin/sh\ncase "$*" in "config get-value project") echo weblog;; "builds submit"*) cp -R . "$GENERATED";; esac\n'
OPTIONS = " ".join(f"--setting {name} {value}" for name, value in UNHURRIED.items())
TEMPLATES = {
    "tagfeeds-tag.html": '{% extends "_tagfeeds-tag.html" %}{% block content %}<p>Our own page</p>{{ super() }}{% endblock %}',
    "tagfeeds-entry-post.html": "<p>Our own entry: {{ row.title }}, {{ row.created.year }}</p>{{ content }}",
}
FEEDS = ["/tags/python.atom", "/tags/python+sqlite.rss", "/tags/python.json", "/tags.atom", "/tags.json", "/tags.opml"]
WAYS = ["heroku", "cloudrun"]


class Home:
    """The site as its owner has it: a file, settings, templates."""

    def __init__(self, folder: Path, settings=SETTINGS, **metadata) -> None:
        self.folder, self.settings = folder, folder / "metadata.yml"
        written = {**metadata, "plugins": {"datasette-tagfeeds": settings}}
        self.settings.write_text(yaml.safe_dump(written, allow_unicode=True), encoding="utf-8")
        (folder / "templates").mkdir()
        for name, text in TEMPLATES.items():
            (folder / "templates" / name).write_text(text, encoding="utf-8")
        self.blog = Site(folder / "blog.db", settings)
        self.blog.sql(SCHEMA)
        for key in range(1, 41):
            self.blog.post(key, ["python", *(["sqlite"] if key % 3 else [])], title=f"Pöst {key}", created=f"2020-01-{key % 28 + 1:02}")

    def run(self, *arguments: object, **environment: str) -> None:
        """Run `datasette` in this folder."""
        done = subprocess.run(datasette(*arguments), cwd=self.folder, env={**os.environ, **environment}, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def index(self) -> None:
        """Index the file."""
        self.run("tagfeeds", "index", "blog.db", "-m", "metadata.yml")

    def publish(self, way: str, to: Path, options: str = OPTIONS) -> "Application":
        """What `datasette publish` would send away."""
        (stubs := to.parent / f"{to.name}-programs").mkdir(parents=True)
        for name, text in (("heroku", HEROKU), ("gcloud", GCLOUD)):
            (stubs / name).write_text(text)
            (stubs / name).chmod(0o755)
        place = ["--generate-dir", to] if way == "heroku" else ["--service", "weblog"]
        arguments = [
            "blog.db",
            "-m",
            "metadata.yml",
            "--install",
            "datasette-tagfeeds",
            "--template-dir",
            "templates",
            "--extra-options",
            options,
        ]
        self.run("publish", way, *arguments, *place, PATH=f"{stubs}:{os.environ['PATH']}", GENERATED=str(to))
        return from_procfile(to) if way == "heroku" else from_dockerfile(to)

    @contextmanager
    def served(self) -> Iterator[int]:
        """This very file, mutable, on this machine; yields the port."""
        with served("blog.db", "-m", "metadata.yml", "--template-dir", "templates", *shlex.split(OPTIONS), folder=self.folder) as port:
            yield port


class Application:
    """A folder that was generated, the lines that make it ready and the one that starts it."""

    def __init__(self, folder: Path, build: list[str], start: str, environment: dict[str, str] | None = None) -> None:
        self.folder, self.build, self.start, self.environment = folder, build, start, environment or {}


def from_procfile(folder: Path) -> Application:
    """As Heroku reads it."""
    build = ["pip install -r requirements.txt", (folder / "bin" / "post_compile").read_text()]
    return Application(folder, build, (folder / "Procfile").read_text().removeprefix("web: "))


def from_dockerfile(folder: Path) -> Application:
    """As docker would, but for the image that it begins with."""
    words = [line.partition(" ")[::2] for line in (folder / "Dockerfile").read_text().splitlines()]
    (start,) = [rest for word, rest in words if word == "CMD"]
    environment = dict(shlex.split(rest) for word, rest in words if word == "ENV")
    return Application(folder, [rest for word, rest in words if word == "RUN"], start, environment)


class Machine:
    """An environment with Python, and nothing in it but what it is told to install: this version of Datasette, this wheel."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        known = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL", "DATASETTE"))}
        constraints = folder / "constraints.txt"
        constraints.write_text(f"datasette=={DATASETTE}\ndatasette-tagfeeds @ {wheel(folder).as_uri()}\n")
        self.environment = {**known, "PATH": f"{folder / 'venv' / 'bin'}:/usr/bin:/bin", "PIP_CONSTRAINT": str(constraints)}

    def build(self, application: Application) -> None:
        """Make an application ready, as its host would."""
        for line in application.build:
            done = subprocess.run(["sh", "-c", line], cwd=application.folder, env=self.environment, capture_output=True, text=True)
            assert done.returncode == 0, (line, done.stdout, done.stderr)

    @contextmanager
    def running(self, application: Application, prefix: str = "") -> Iterator[int]:
        """An application that answers; yields its port."""
        port = free_port()
        environment = {**self.environment, **application.environment, "PORT": str(port)}
        command = ["sh", "-c", f"exec {application.start}"]
        with running(command, application.folder, port, f"{prefix}/-/versions.json", environment):
            yield port


def wheel(folder: Path) -> Path:
    """Our wheel, made of a copy of the sources, since setuptools writes beside them."""
    sources = folder / "sources"
    shutil.copytree(ROOT / "datasette_tagfeeds", sources / "datasette_tagfeeds", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, sources)
    subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, sources], check=True, capture_output=True)
    (made,) = folder.glob("datasette_tagfeeds-*.whl")
    return made


@pytest.fixture(scope="module")
def machine(tmp_path_factory) -> Machine:
    return Machine(tmp_path_factory.mktemp("machine"))


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Home:
    """A site in order, its file in WAL mode as applications leave it."""
    one = Home(tmp_path_factory.mktemp("home"))
    one.blog.sql("pragma journal_mode = wal")
    one.index()
    return one


@pytest.fixture(scope="module", params=WAYS)
def both(request, machine, home, tmp_path_factory) -> Iterator[tuple[int, int]]:
    """The site published and at home: two ports."""
    application = home.publish(request.param, tmp_path_factory.mktemp(request.param) / "app")
    machine.build(application)
    with machine.running(application) as there, home.served() as here:
        yield there, here


@pytest.mark.parametrize("path", FEEDS)
def test_a_document_is_the_same_there_as_here(both, path):
    there, here = (ask(port, path) for port in both)
    assert there.status == 200, there.text
    assert (there.body, there.etag) == (here.body, here.etag)
    assert here.etag
    again = ask(both[0], path, If_None_Match=here.etag)
    assert (again.status, again.body) == (304, b"")


def test_a_feed_has_what_the_template_makes_of_an_entry(both):
    assert "Our own entry: Pöst 40, 2020" in ask(both[0], "/tags/python.atom").text


def test_a_page_is_made_by_the_template(both):
    there = ask(both[0], "/tags/python")
    assert there.status == 200
    assert "<p>Our own page</p>" in there.text
    assert "Pöst 40" in there.text


def test_a_date_is_enough_to_be_told_that_nothing_changed(both):
    """Once the second of the last change is over."""
    until(lambda: ask(both[0], "/tags/python.atom").headers["Last-Modified"] is not None)
    date = ask(both[0], "/tags/python.atom").headers["Last-Modified"]
    until(lambda: ask(both[0], "/tags/python.atom", If_Modified_Since=date).status == 304)
    assert ask(both[0], "/tags/python.atom", If_Modified_Since="Wed, 01 Jan 2020 00:00:00 GMT").status == 200


def test_the_file_is_immutable_and_its_index_is_used(both):
    told = json.loads(ask(both[0], "/-/databases.json").body)
    databases = told["databases"] if isinstance(told, dict) else told
    assert {one["name"]: one["is_mutable"] for one in databases}["blog"] is False
    (source,) = json.loads(ask(both[0], "/-/tagfeeds.json").body)["sources"]
    assert (source["items"], source["indexed"]) == (40, True)


def test_headers_for_other_sites_stand_there_once(both):
    """`datasette publish` adds --cors."""
    for path in ("/tags/python.atom", "/tags/python.json"):
        assert ask(both[0], path, Origin="https://reader.example").headers.get_all("Access-Control-Allow-Origin") == ["*"]


def test_links_are_https_where_cloud_run_says_so_and_no_base_url_does(machine, tmp_path):
    """The container itself is asked by plain HTTP."""
    home = Home(tmp_path, {"authority": "example.org,2026", "sources": {"post": {}}})
    application = home.publish("cloudrun", tmp_path / "app" / "one")
    machine.build(application)
    with machine.running(application) as port:
        feed = ask(port, "/tags/python.atom").text
    assert f"https://127.0.0.1:{port}/tags/python.atom" in feed
    assert "http://127.0.0.1" not in feed


def test_a_site_below_another_address(machine, tmp_path):
    home = Home(tmp_path, {**SETTINGS, "base_url": "https://example.org/weblog/"})
    home.index()
    application = home.publish("heroku", tmp_path / "app" / "one", f"{OPTIONS} --setting base_url /weblog/")
    machine.build(application)
    with machine.running(application, "/weblog") as port:
        linked = re.findall(r'(?:href|src|action)="(/[^"]*)"', ask(port, "/weblog/tags/python").text)
        assert any(one.startswith("/weblog/tags/") for one in linked)
        assert [one for one in linked if not one.startswith("/weblog/")] == []
        feed = ask(port, "/weblog/tags/python.atom")
        assert 'href="https://example.org/weblog/tags/python.atom"' in feed.text


def test_counts_that_were_inspected_before_the_last_change_do_no_harm(machine, tmp_path):
    """`datasette inspect` writes the file's hash and counts down; nothing of ours may rest on them."""
    home = Home(tmp_path)
    home.index()
    application = home.publish("cloudrun", tmp_path / "app" / "one")
    machine.build(application)
    assert json.loads((application.folder / "inspect-data.json").read_text())["blog"]["tables"]["post"]["count"] == 40
    with closing(sqlite3.connect(application.folder / "blog.db")) as connection, connection:
        connection.execute("insert into post (id, title, created) values (99, 'The newest', '2021-01-01')")
        connection.execute("insert into post_tags (post_id, tag_id) values (99, 1)")
    with machine.running(application) as port:
        feed = ask(port, "/tags/python.atom")
        assert "The newest" in feed.text
        assert json.loads(ask(port, "/-/tagfeeds.json").body)["sources"][0]["items"] == 41
