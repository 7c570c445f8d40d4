# Two commands matter: `make run` and `make test`. Plain `make` explains all of them.

# Pass PYTHON=/path/to/python to choose the interpreter the virtual environment is made with.
PYTHON ?=
# So many processes share the tests; `make test WORKERS=0` runs all of them in one, in order.
WORKERS ?= 2
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
# Python compiles what it imports, once; compiling everything beforehand would double the time of the install.
INSTALL := $(PIP) install $(if $(PYTHONDONTWRITEBYTECODE),,--no-compile) --require-hashes
UV_COMPILE := uv pip compile --quiet --generate-hashes --universal --python-version 3.12

.PHONY: help run test proof chaos bench check docs lock password sample-remove reset venv dev interpreter

help:
	@echo "make run            start everything on this machine: admin, sample shop, inbox; Ctrl-C stops it"
	@echo "make test           the quick tests; start what they need themselves"
	@echo "make proof          the slower proofs of the reliability promises"
	@echo "make chaos          long fault runs, property tests with new examples"
	@echo "make bench          how fast it is; figures into benchmarks/results.json (NAME=due_to_sink: one of them)"
	@echo "make check          lint, formatting, types, import contracts"
	@echo "make docs           write the reference pages anew from the program itself"
	@echo "make password       give the administrator a new password and print it"
	@echo "make sample-remove  remove the sample shop's data, keep your own"
	@echo "make reset          erase all local data (asks first; CONFIRM=yes does not)"
	@echo "make lock           compile requirements.txt and requirements-dev.txt again (needs uv)"
	@echo ""
	@echo "Settings are environment variables or lines of a file named .env; .env.example explains each."

run: venv
	@exec $(PY) manage.py up

test: dev
	@$(PY) -m pytest -q -n $(WORKERS) --dist worksteal -m "not proof and not chaos"

# make proof WITHIN=300 begins none after 300 seconds, those that matter most first, and says what did not run.
proof: dev
	@code=0; until=$(if $(WITHIN),--until=$$(( $$(date +%s) + $(WITHIN) ))); \
	$(PY) -m pytest -q $$until -m "proof and alone and not chaos" || code=$$?; \
	$(PY) -m pytest -q $$until -n $(WORKERS) --dist worksteal -m "proof and not alone and not chaos" || code=$$?; \
	exit $$code

chaos: dev
	@code=0; \
	$(PY) -m pytest -q -m chaos || code=$$?; \
	$(PY) -m pytest -q -m "hypothesis and not chaos" --hypothesis-profile=new || code=$$?; \
	exit $$code

# make bench NAME=due_to_sink runs one of them.
BENCHMARKS := lists sending fencing due_to_sink collector segments recommendations advancing campaign_results \
	imports things reading
bench: dev
	@for name in $(or $(NAME),$(BENCHMARKS)); do $(PY) -m benchmarks.$$name || exit 1; done

check: dev
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports --no-logo

docs: venv
	@$(PY) manage.py reference

password: venv
	@$(PY) manage.py admin_password

sample-remove: venv
	@$(PY) manage.py sample_shop remove

reset: venv
	@$(PY) -m config.embedded.resetting

lock:
	@$(UV_COMPILE) requirements.in -o requirements.txt
	@$(UV_COMPILE) -c requirements.txt requirements-dev.in -o requirements-dev.txt

# Installed again only when the lock's content differs from the copy kept beside the last complete install.
venv:
	@{ [ -f $(VENV)/made ] && $(PY) -c '' 2>/dev/null; } || $(MAKE) --no-print-directory interpreter
	@cmp -s requirements.txt $(VENV)/requirements.txt || { \
	  echo "Installing the pinned requirements (only when they change; half a minute or more) ..."; \
	  $(INSTALL) -r requirements.txt && cp requirements.txt $(VENV)/requirements.txt; }

dev: venv
	@cmp -s requirements-dev.txt $(VENV)/requirements-dev.txt || { \
	  echo "Installing the tools for tests and checks ..."; \
	  $(INSTALL) -r requirements-dev.txt && \
	  cp requirements-dev.txt $(VENV)/requirements-dev.txt; }

# Candidates are run, not only found: a version manager's shim exists even where its Python does not.
interpreter:
	@for candidate in "$(PYTHON)" python3.12 python3.13 python3.14 python3 python \
	    "$$HOME"/.pyenv/versions/3.1[2-9]*/bin/python "$$HOME"/.local/share/uv/python/*/bin/python3; do \
	  [ -n "$$candidate" ] || continue; \
	  if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; then \
	    echo "Making the virtual environment with $$("$$candidate" -V) ..."; \
	    "$$candidate" -m venv --clear "$(VENV)" && touch $(VENV)/made; exit $$?; \
	  fi; \
	done; \
	echo "Rekindle needs Python 3.12 or newer (with its venv module), and none was found here."; \
	echo "  Debian 13, Ubuntu 24.04 or newer:  sudo apt install python3 python3-venv"; \
	echo "  Fedora:                            sudo dnf install python3.12"; \
	echo "  macOS:                             brew install python@3.12"; \
	echo "  elsewhere:                         pyenv install 3.12, or https://www.python.org/downloads/"; \
	echo "One that lies elsewhere:             make run PYTHON=/path/to/python3.12"; \
	exit 1
