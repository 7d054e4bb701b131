# `make demo` shows the plugin, `make test` tests it on both Datasette lines, `make lint` reads it, `make bench` measures it.
PYTHON ?= python3
PORT ?= 8001
VENVS := .venvs
LINES := 0.65 1.0
DATASETTE_0.65 := datasette==0.65.5
DATASETTE_1.0 := datasette==1.0a41
PIP := bin/python -m pip install --quiet --disable-pip-version-check
WHEEL := dist/datasette_tagfeeds-*.whl
BENCH := $(VENVS)/bench
# What `make bench` measures: numbers of items, seconds of each run of wrk, a version of Datasette, some parts only.
ITEMS ?= 10000 100000 1000000
SECONDS ?= 5
DATASETTE ?= $(DATASETTE_0.65)
ONLY ?=
MEASURED := $(BENCH)/$(subst ==,-,$(DATASETTE))

.PHONY: demo screenshots test lint wheel bench clean test-indexed test-publish $(LINES:%=test-%) $(LINES:%=test-publish-%)

demo: $(VENVS)/demo/ready
	$(VENVS)/demo/bin/python demo/build.py demo.db
	@echo
	@echo "Worth opening:"
	@echo "  http://127.0.0.1:$(PORT)/tags                all tags"
	@echo "  http://127.0.0.1:$(PORT)/tags/asyncio        one tag's page"
	@echo "  http://127.0.0.1:$(PORT)/tags/asyncio.atom   its feed, for a feed reader"
	@echo "  http://127.0.0.1:$(PORT)/tags.atom           the feed of everything"
	@echo
	$(VENVS)/demo/bin/datasette serve demo.db --metadata metadata.yml --port $(PORT)

# The demo runs from this folder, so that a change shows on the next start.
$(VENVS)/demo/ready: setup.py
	$(PYTHON) -m venv $(VENVS)/demo
	$(VENVS)/demo/$(PIP) --editable . "$(DATASETTE_0.65)"
	touch $@

# Needs Debian's chromium.
screenshots: $(VENVS)/demo/ready
	$(VENVS)/demo/$(PIP) pillow playwright
	$(VENVS)/demo/bin/python demo/screenshots.py

test: $(LINES:%=test-%) test-indexed

# pytest is started by its own command, which leaves this folder off the path: the wheel is what is tested.
$(LINES:%=test-%): test-%: wheel $(VENVS)/%/ready
	$(VENVS)/$*/$(PIP) --force-reinstall --no-deps $(WHEEL)
	$(VENVS)/$*/bin/pytest

# The same behaviours once more, each file indexed before it is served.
test-indexed: test-0.65
	TAGFEEDS_INDEXED=1 $(VENVS)/0.65/bin/pytest

# What takes long: sites are published, installed and served as their hosts would.
test-publish: $(LINES:%=test-publish-%)

$(LINES:%=test-publish-%): test-publish-%: wheel $(VENVS)/%/ready
	$(VENVS)/$*/$(PIP) --force-reinstall --no-deps $(WHEEL)
	$(VENVS)/$*/bin/pytest -m publish

$(VENVS)/%/ready: setup.py Makefile
	$(PYTHON) -m venv $(VENVS)/$*
	$(VENVS)/$*/$(PIP) "$(DATASETTE_$*)" ".[test]"
	touch $@

wheel: | $(VENVS)/0.65/ready
	rm -rf build dist
	$(VENVS)/0.65/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

lint: $(VENVS)/lint/ready
	$(VENVS)/lint/bin/ruff check .
	$(VENVS)/lint/bin/ruff format --check .
	$(VENVS)/lint/bin/mypy --strict

$(VENVS)/lint/ready: setup.py
	$(PYTHON) -m venv $(VENVS)/lint
	$(VENVS)/lint/$(PIP) "$(DATASETTE_1.0)" ".[lint,test]"
	touch $@

# Needs Debian's wrk. docs/speed.md says what the table means.
bench: $(MEASURED)/ready $(BENCH)/atom/ready $(BENCH)/django/ready
	rm -rf build
	$(MEASURED)/$(PIP) --force-reinstall --no-deps .
	$(PYTHON) benchmarks/bench.py --venvs $(BENCH) --plugin $(MEASURED) --items $(ITEMS) --seconds $(SECONDS) $(ONLY:%=--only %)

$(MEASURED)/ready: setup.py Makefile
	$(PYTHON) -m venv $(MEASURED)
	$(MEASURED)/$(PIP) "$(DATASETTE)" .
	touch $@

$(BENCH)/atom/ready: Makefile
	$(PYTHON) -m venv $(BENCH)/atom
	$(BENCH)/atom/$(PIP) "$(DATASETTE_0.65)" datasette-atom
	touch $@

$(BENCH)/django/ready: Makefile
	$(PYTHON) -m venv $(BENCH)/django
	$(BENCH)/django/$(PIP) django uvicorn
	touch $@

clean:
	rm -rf $(VENVS) build dist demo.db *.egg-info
