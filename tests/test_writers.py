"""Everyone who may write to a file, in any order: our own connection, another process, and Datasette itself, some rolled back.

A file with an index and its twin without one are written to alike; after each step they answer alike, byte for byte.
"""

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from conftest import SETTINGS
from datasette.app import Datasette
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from test_index import BASE, BY_NAME, PHASES, answers, contents, differences, execute, index, statements

pytestmark = pytest.mark.live

# Another program, in a process of its own: it is told what to write, and to which file, line by line.
PROGRAM = """
import ast, json, sqlite3, sys
for line in sys.stdin:
    path, statements, rolled_back = ast.literal_eval(line)
    connection, said = sqlite3.connect(path, isolation_level=None), []
    connection.execute("begin")
    for sql, values in statements:
        try:
            said.append(connection.execute(sql, values).rowcount)
        except sqlite3.Error as error:
            said.append(str(error))
    connection.execute("rollback" if rolled_back else "commit")
    connection.close()
    print(json.dumps(said), flush=True)
"""
NAMES = st.sampled_from(sorted(BY_NAME))
ROLLED_BACK = st.sampled_from([False, False, True])
HAS_API = hasattr(Datasette, "add_background_task")


class Writers(RuleBasedStateMachine):
    """Two files, and who writes to them."""

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp())
        self.program = subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.storage, self.files = None, []

    @initialize(name=NAMES, data=st.data(), online=st.booleans())
    def begin(self, name, data, online):
        """A file with some rows, twice, one of them indexed, each served."""
        self.storage = BY_NAME[name]
        rows = data.draw(st.lists(statements(self.storage), min_size=3, max_size=10))
        self.paths = [self.folder / side / "blog.db" for side in ("plain", "indexed")]
        for path in self.paths:
            path.parent.mkdir()
            connection = sqlite3.connect(path, isolation_level=None)
            connection.executescript(self.storage.schema)
            execute(connection, rows, False)
            connection.close()
        self.datasettes = [self.served(path) for path in self.paths]
        self.files = self.loop.run_until_complete(index(self.datasettes[1], online))

    def served(self, path):
        """A Datasette over the file, which lets everyone write where it has an API for that."""
        block = {**SETTINGS, "sources": {"post": {**BASE, **self.storage.source}}}
        more = {"config": {"permissions": {f"{one}-row": True for one in ("insert", "update", "delete")}}} if HAS_API else {}
        datasette = Datasette([str(path)], metadata={"plugins": {"datasette-tagfeeds": block}}, **more)
        self.loop.run_until_complete(datasette.invoke_startup())
        return datasette

    def both(self, write):
        """The same to both files: the same is said of it."""
        said = [write(*one) for one in zip(self.paths, self.datasettes, strict=True)]
        assert said[0] == said[1]

    @rule(data=st.data(), rolled_back=ROLLED_BACK)
    def ourselves(self, data, rolled_back):
        """A connection of this process writes a transaction."""
        transaction = data.draw(st.lists(statements(self.storage), min_size=1, max_size=4))

        def write(path, datasette):
            connection = sqlite3.connect(path, isolation_level=None)
            said = execute(connection, transaction, rolled_back)
            connection.close()
            return said

        self.both(write)

    @rule(data=st.data(), rolled_back=ROLLED_BACK)
    def another_program(self, data, rolled_back):
        """Another process does."""
        transaction = data.draw(st.lists(statements(self.storage), min_size=1, max_size=4))

        def write(path, datasette):
            self.program.stdin.write(f"{[str(path), transaction, rolled_back]!r}\n")
            self.program.stdin.flush()
            return json.loads(self.program.stdout.readline())

        self.both(write)

    @rule(data=st.data())
    def datasette_itself(self, data):
        """Datasette's own thread for writes does."""
        sql, values = data.draw(statements(self.storage))

        def write(path, datasette):
            try:
                self.loop.run_until_complete(datasette.get_database("blog").execute_write(sql, values))
            except sqlite3.Error as error:
                return str(error)
            return None

        self.both(write)

    @precondition(lambda self: HAS_API)
    @rule(data=st.data(), conflict=st.sampled_from([{}, {"ignore": True}, {"replace": True}]))
    def the_api(self, data, conflict):
        """Someone posts a row to Datasette 1.0's JSON API."""
        table = data.draw(st.sampled_from(sorted(self.storage.columns)))
        row = {name: data.draw(values) for name, values in self.storage.columns[table].items()}
        row = {name: value.decode("latin-1") if isinstance(value, bytes) else value for name, value in row.items()}

        def write(path, datasette):
            answer = self.loop.run_until_complete(datasette.client.post(f"/blog/{table}/-/insert", json={"row": row, **conflict}))
            assert answer.status_code in (200, 201, 400), answer.text
            return answer.status_code, answer.text

        self.both(write)

    @precondition(lambda self: HAS_API)
    @rule(data=st.data())
    def the_api_deletes(self, data):
        """Someone deletes a row by it."""
        table = data.draw(st.sampled_from(sorted(self.storage.columns)))
        key = data.draw(st.integers(1, 4))

        def write(path, datasette):
            answer = self.loop.run_until_complete(datasette.client.post(f"/blog/{table}/{key}/-/delete", json={}))
            assert answer.status_code in (200, 400, 404), answer.text
            return answer.status_code

        self.both(write)

    @invariant()
    def the_answers_are_the_same(self):
        """The index is true, and nobody can tell that it is there."""
        if not self.files:
            return
        assert differences(self.files) == [("post", 0, 0)]
        one, other = (self.loop.run_until_complete(answers(datasette)) for datasette in self.datasettes)
        assert one == other

    def teardown(self):
        if self.files:
            rows = []
            for path in self.paths:
                connection = sqlite3.connect(path)
                rows.append(contents(connection, self.storage))
                connection.close()
            assert rows[0] == rows[1]
        self.program.stdin.close()
        self.program.wait()
        self.loop.close()
        shutil.rmtree(self.folder)


def test_whoever_writes_the_index_stays_true():
    examples = 100 if os.environ.get("HYPOTHESIS_PROFILE") else 25
    with_time = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        Writers,
        settings=settings(max_examples=examples, stateful_step_count=6, deadline=None, phases=PHASES, suppress_health_check=with_time),
    )
