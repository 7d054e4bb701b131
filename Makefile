# `make demo` shows the plugin, `make test` tests it on both Datasette lines, `make lint` reads it.
PYTHON ?= python3
PORT ?= 8001
VENVS := .venvs
LINES := 0.65 1.0
DATASETTE_0.65 := datasette==0.65.5
DATASETTE_1.0 := datasette==1.0a41
PIP := bin/python -m pip install --quiet --disable-pip-version-check
WHEEL := dist/datasette_tagfeeds-*.whl

.PHONY: demo screenshots test lint wheel clean $(LINES:%=test-%)

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

test: $(LINES:%=test-%)

# pytest is started by its own command, which leaves this folder off the path: the wheel is what is tested.
$(LINES:%=test-%): test-%: wheel $(VENVS)/%/ready
	$(VENVS)/$*/$(PIP) --force-reinstall --no-deps $(WHEEL)
	$(VENVS)/$*/bin/pytest

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

clean:
	rm -rf $(VENVS) build dist demo.db *.egg-info
