# Everything from a fresh clone. Paths are relative, so that the folder's own path may hold
# spaces; tools run as `python -m`, because the scripts pip writes break on long paths.
SHELL := /bin/sh
PY := .venv/bin/python
LAB_ARGS ?=
PARTS ?=

# The first Python that fits, .venv's own if there is one;
# `make install PYTHON=/usr/bin/python3.12` names another.
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON ?= $(shell for name in $(PY) python3.12 python3.13 python3.11 python3 python; do \
	"$$name" -c '$(FITS)' 2>/dev/null && { echo "$$name"; break; }; done)

.DEFAULT_GOAL := help
.PHONY: help install lab test bench lint notebooks slides clean

help:  ## show this list
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/:/' | while IFS=: read -r name text; do \
		printf '  make %-10s%s\n' "$$name" "$$text"; done

install:  ## make .venv with the pinned packages and kdlab
	@test -n "$(PYTHON)" || { echo "install: no Python 3.11, 3.12 or 3.13 found;" \
		"install one, or name it: make install PYTHON=/path/to/python3.12" >&2; exit 1; }
	@"$(PYTHON)" .ci/install.py

lab: install  ## open JupyterLab on the first lecture
	@$(PY) .ci/lab.py $(LAB_ARGS)

test: install  ## ruff, pytest, every notebook, the browser tests
	@$(PY) .ci/test.py $(PARTS)

bench: install  ## measure speed, as ratios in one run
	@$(PY) -m tests.benchmarks

lint: install  ## ruff only
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

notebooks: install  ## execute all notebooks anew, in place
	@$(PY) .ci/notebooks.py --record notebooks/*.ipynb

slides: install  ## write every lecture as a page of slides into build/slides
	@$(PY) -m nbconvert --to slides --output-dir build/slides notebooks/*.ipynb

clean:  ## remove .venv and everything else that was made here
	rm -rf .venv .jupyter .artifacts build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
	find . -name .ipynb_checkpoints -prune -exec rm -rf {} +
