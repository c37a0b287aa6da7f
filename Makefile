# Two commands do everything on a fresh machine with Python 3.11 or newer.
#   make run     set up .venv and run the main job on the embedded data
#   make test    set up .venv and run all checks
#   make check   lint and the tests that take no more than two minutes: after every change
PYTHON ?= python3
STAMP := .venv/.installed
PYTEST := .venv/bin/pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder
QUICK := not ray and not cluster and not browser and not faults and not slow

.PHONY: run check test snapshots lint clean

run: $(STAMP)
	.venv/bin/sweeper run search_spaces/layer_selection.yaml

check: lint
	$(PYTEST) -m "$(QUICK)"

test: lint
	$(PYTEST)

# After a change of wording: write what is printed now into the tests, to be read in their diff. What was written is
# reported as an error. `make snapshots TESTS=tests/sweeper` does some of them; slow ones with QUICK=slow.
snapshots: $(STAMP)
	-PATH="$(CURDIR)/.venv/bin:$$PATH" pytest --inline-snapshot=fix -m "$(QUICK)" $(TESTS)

lint: $(STAMP)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check --quiet .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --quiet --strict --site-dir site

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(STAMP)

clean:
	rm -rf .venv runs site
