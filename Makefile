# `make demo` and `make test` do all the set-up, in .venv; the second time they start at once.
#   PYTHON=...       the Python to use, 3.11 to 3.13; where it has torch already, that torch is used
#   WORKERS=...      how many processes share the tests, one a core by default; 0: run one by one
#   TORCH_INDEX=...  take torch from this package index, for one without CUDA on a laptop
PYTHON ?= python3
TORCH_INDEX ?=
RUN := .venv/bin
OLDEST := (3, 11)
NEWEST := (3, 13)
FREE_GB := 10
KILLS ?= 10
WORKERS ?= auto

.PHONY: demo up down test check style types chaos environment clean

demo: environment ## the main job: replay 12,000 real purchases, embedded
	$(RUN)/mainstem demo

up: environment ## Kafka, ClickHouse and all programs on this machine, without Docker
	$(RUN)/mainstem up --detach

down: environment ## end what `make up` began; its data are kept in mainstem-stack
	$(RUN)/mainstem down

test: style ## style and spelling; then all tests side by side, and types beside them
	@$(RUN)/mypy >.venv/mypy.log 2>&1 & types=$$!; \
	  $(RUN)/python -m pytest -p tests.times -n $(WORKERS) --max-worker-restart 2; tests=$$?; \
	  wait $$types; types=$$?; echo "$(RUN)/mypy"; cat .venv/mypy.log; \
	  [ $$tests -ne 0 ] && exit $$tests || exit $$types

check: style types ## style, spelling, links of the documents, and types

style: environment
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/codespell
	$(RUN)/python -m tests.links

types: environment
	$(RUN)/mypy

chaos: environment ## kill a replay of the excerpt ten times; then harm a deployment, KILLS times
	$(RUN)/python -m tests.chaos --kills 10
	$(RUN)/python -m tests.services.faults --kills $(KILLS)

environment: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not $(OLDEST) <= sys.version_info[:2] <= $(NEWEST))' || \
	  { echo "mainstem runs on Python 3.11 to 3.13; $(PYTHON) is `$(PYTHON) --version 2>&1`."; \
	    echo "Name another: make PYTHON=python3.13 $(MAKECMDGOALS)"; exit 2; }
	@$(PYTHON) -c 'import shutil, sys; free = shutil.disk_usage(".").free / 1e9; \
	  sys.exit(free < $(FREE_GB) and "mainstem needs $(FREE_GB) GB of free disk for .venv; " \
	    f"{free:.1f} GB are free here" or 0)'
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@$(RUN)/python .ci/environment.py --python "$(PYTHON)" --torch-index "$(TORCH_INDEX)"
	@touch .venv/ready

clean: ## remove the environment and what the demo made
	rm -rf .venv mainstem-demo mainstem-stack
