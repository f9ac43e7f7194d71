# `make demo` and `make test` do all the set-up, in .venv; the second time they start at once.
#   PYTHON=...       the Python to use, 3.11 or newer; where it has torch already, that torch is used
#   TORCH_INDEX=...  take torch from this package index, for one without CUDA on a laptop
PYTHON ?= python3
TORCH_INDEX ?=
RUN := .venv/bin
FREE_GB := 10
KILLS ?= 10

.PHONY: demo up down test check chaos environment clean

demo: environment ## the main job: replay 12,000 real purchases, embedded
	$(RUN)/mainstem demo

up: environment ## Kafka, ClickHouse and all programs on this machine, without Docker
	$(RUN)/mainstem up --detach

down: environment ## end what `make up` began; its data are kept in mainstem-stack
	$(RUN)/mainstem down

test: environment ## style, types, then every test
	@$(MAKE) --no-print-directory check
	$(RUN)/python -m pytest

check: environment ## style, spelling, links of the documents, and types
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/codespell
	$(RUN)/python -m tests.links
	$(RUN)/mypy

chaos: environment ## kill a replay of the whole excerpt ten times; then do a deployment harm, KILLS times
	$(RUN)/python -m tests.chaos --kills 10
	$(RUN)/python -m tests.services.faults --kills $(KILLS)

environment: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "mainstem needs Python 3.11 or newer; $(PYTHON) is `$(PYTHON) --version 2>&1`. Name another: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@$(PYTHON) -c 'import shutil, sys; free = shutil.disk_usage(".").free / 1e9; \
	  sys.exit(free < $(FREE_GB) and f"mainstem needs $(FREE_GB) GB of free disk for its environment; {free:.1f} GB are free here" or 0)'
	@rm -rf .venv && $(PYTHON) -m venv .venv && cp constraints.txt .venv/constraints.txt
	@if torch=$$($(PYTHON) -c 'import pathlib, torch; print(pathlib.Path(torch.__file__).parents[1])' 2>/dev/null); then \
	  echo "Made .venv; it uses the torch of $(PYTHON). Fetching the other packages (about 0.4 GB)."; \
	  echo "$$torch" >"$$($(RUN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/installed-torch.pth"; \
	  grep -v '^torch==' constraints.txt >.venv/constraints.txt; \
	else \
	  echo "Made .venv. Fetching torch and its companions (2.7 GB with CUDA; TORCH_INDEX=URL takes it from elsewhere)"; \
	  echo "and the other packages (about 0.4 GB)."; \
	fi
	@if [ -n "$(TORCH_INDEX)" ]; then $(RUN)/python -m pip install --index-url "$(TORCH_INDEX)" -c .venv/constraints.txt torch; fi
	$(RUN)/python -m pip install --disable-pip-version-check -c .venv/constraints.txt -e '.[kafka,test]'
	@touch .venv/ready

clean: ## remove the environment and what the demo made
	rm -rf .venv mainstem-demo mainstem-stack
