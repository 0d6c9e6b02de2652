# The two commands of the README are `make demo` and `make test`. Everything happens in .venv, from the lock files.

# The first Python of 3.11 to 3.13 that this machine has; PYTHON=... chooses another.
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(if $(shell $(name) -c 'import sys; print((3, 11) <= sys.version_info < (3, 14) or "")' 2>/dev/null),$(name))))
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test matrix lint types imports bindings check-bindings bench fuzz lock clean

demo: $(VENV)/.run
	@$(BIN)/sdqkd demo examples/madqci/network.yaml

test: $(VENV)/.dev
	$(BIN)/python -m pytest -q

# Every fault of a transaction at every point where it can strike; `make test` takes a sample of them.
matrix: $(VENV)/.dev
	$(BIN)/python -m tests.controller.matrix $(MATRIX)

lint: $(VENV)/.dev
	$(BIN)/ruff check src tests tools bindings/sdqkd_bindings/json.py
	$(BIN)/ruff format --check src tests tools

types: $(VENV)/.dev
	$(BIN)/mypy
	MYPYPATH=src:tools $(BIN)/mypy --strict --explicit-package-bases tools/compile_models.py tools/yang_compiler tools/bench
	MYPYPATH=src:. $(BIN)/mypy --strict --explicit-package-bases -p tools.physics_table
	MYPYPATH=src:. $(BIN)/mypy --strict --explicit-package-bases -m tools.equipment_table

imports: $(VENV)/.dev
	$(BIN)/lint-imports

bindings: $(VENV)/.dev
	$(BIN)/python tools/compile_models.py

check-bindings: $(VENV)/.dev
	$(BIN)/python tools/compile_models.py --check

# Some half an hour. The second is beside Debian's netconfd (packages netconfd, openssh-server; as root) where it is.
bench: $(VENV)/.dev
	$(BIN)/python -m tools.bench demo
	$(BIN)/python -m tools.bench netconf
	$(BIN)/python -m tools.bench agents
	$(BIN)/python -m tools.bench physics
	$(BIN)/python -m tools.bench planning
	$(BIN)/python -m tools.bench scale

# SECONDS for each of the targets. Where atheris cannot be installed, mutations are blind, and the last line says so.
fuzz: SECONDS ?= 60
fuzz: $(VENV)/.dev
	@$(PIP) install --no-deps --require-hashes --only-binary :all: -r tests/fuzz/requirements.lock || echo "no atheris for this Python and machine: mutations are blind" >&2
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

lock:
	tools/lock.sh

clean:
	rm -rf $(VENV) run

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "sdqkd needs Python 3.11, 3.12 or 3.13; none is on the PATH (set PYTHON=...)" >&2; exit 1; }
	@echo "making $(VENV) with $(PYTHON)" >&2
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "cannot make $(VENV): on Debian the package python3-venv is needed" >&2; exit 1; }

# The locks are whole, so nothing is resolved; why --no-deps, tools/lock.sh says.
$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "installing what requirements.lock pins into $(VENV)" >&2
	@$(PIP) install --no-deps --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@echo "installing what requirements-dev.lock pins into $(VENV)" >&2
	@$(PIP) install --no-deps --require-hashes -r requirements-dev.lock
	@touch $@
