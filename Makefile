# `make` alone lists the targets. Each sets up what it needs by itself.

VENV := .venv
# Once .venv is there, its Python; before that, one of the machine's, or the one given as PYTHON=.
ifneq ($(and $(wildcard $(VENV)/.made),$(wildcard $(VENV)/bin/python)),)
PYTHON := $(VENV)/bin/python
else
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	"$$p" -c '' 2>/dev/null && { echo "$$p"; break; }; done)
endif
RUN = $(if $(PYTHON),$(PYTHON),$(error Python 3.11 or newer is needed, and there is no python3 on PATH)) deploy/bootstrap.py

# Most tests wait for servers most of the time: on two cores, two files at a time leave 40 % of them
# idle, and four are done in seven tenths of the time.
WORKERS ?= 4
# The long files first, and as they come: else one of them is left for the end, when nothing is there
# for the others to do.
TESTS := tests/cluster tests/integration tests/unit --no-loadscope-reorder
NODE_TEST = node --experimental-websocket --disable-warning=ExperimentalWarning --test --test-concurrency=1 --test-timeout=900000 --test-reporter=spec $(ARGS)
PIN := $(VENV)/bin/uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header $(if $(UPGRADE),--upgrade)

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run-cluster check-settings adopt new-identity revoke unrevoke revocations disconnect chat test test-unit test-integration test-cluster test-security attacks security-mutations fuzz \
	test-socketio test-javascript test-browser test-reference test-sdk test-sdk-python test-sdk-javascript test-sdk-guides clients wheel npm-package screenshots chaos chaos-controls chaos-formats nightly bench bench-sizes structure docs hooks lint words format generate requirements audit sbom clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name what; do \
		printf '  make %-18s %s\n' "$$name" "$$what"; done

setup:  ## set up .venv with what a running cluster needs
	@$(RUN) runtime

setup-dev:  ## the same with what tests and linters need
	@$(RUN) dev

run-cluster:  ## run a cluster on PORT=8080; GATEWAYS=2, PERSISTERS=1, DATA_DIR=.cluster
	@$(RUN) runtime -m deploy.cluster

check-settings:  ## show every setting of a cluster, and all that is wrong with them; start nothing
	@$(RUN) runtime -m deploy.cluster --check

adopt:  ## go on with a database in DATA_DIR that was copied, restored or moved
	@$(RUN) runtime -m persister adopt

new-identity:  ## make a copied database in DATA_DIR an installation of its own
	@$(RUN) runtime -m persister new-identity

revoke:  ## refuse a token or a user's tokens: ARGS="--jti ID" or ARGS="--user NAME"
	@$(RUN) runtime -m persister revoke $(ARGS)

unrevoke:  ## take a revocation back; ARGS= as for revoke
	@$(RUN) runtime -m persister unrevoke $(ARGS)

revocations:  ## list what is revoked
	@$(RUN) runtime -m persister revocations

disconnect:  ## end all connections of a user: ARGS="--user NAME"
	@$(RUN) runtime -m persister disconnect $(ARGS)

chat:  ## chat in the terminal; options in ARGS=
	@$(RUN) runtime -m parley_chat $(ARGS)

test:  ## unit, integration and cluster tests, WORKERS=4 files at a time; options for pytest in ARGS=
	@$(RUN) dev -m pytest $(TESTS) -n $(WORKERS) --dist loadfile $(ARGS)

test-unit:  ## the tests that start no server
	@$(RUN) dev -m pytest tests/unit $(ARGS)

test-integration:  ## the tests against real servers
	@$(RUN) dev -m pytest tests/integration $(ARGS)

test-cluster:  ## the tests of whole clusters
	@$(RUN) dev -m pytest tests/cluster $(ARGS)

test-security:  ## attacks, and what they may not bring
	@$(RUN) dev -m pytest tests/security $(ARGS)

attacks:  ## the largest and worst inputs for every parser and handler, in a loop, and a verdict; SOAK_MINUTES=10: packets at random
	@$(RUN) dev -m tests.security.attacks $(if $(SOAK_MINUTES),--soak $(SOAK_MINUTES)) $(ARGS)

security-mutations:  ## take each defence out of a copy of the sources: a test must notice. For a night; ARGS=--list, ARGS="--only NAME --jobs 2"
	@$(RUN) dev -m tests.security.mutations $(ARGS)

fuzz:  ## let atheris look for bytes that a decoder cannot take; FUZZ_SECONDS=600, Linux only
	@$(RUN) fuzz -m tests.security.fuzz $(ARGS)

test-socketio: tests/socketio/node_modules/.package-lock.json  ## npm's socket.io-client against whole clusters; needs Node
	@$(RUN) dev -m pytest tests/socketio $(ARGS)

# Exactly what the lock file pins, by its hashes.
tests/socketio/node_modules/.package-lock.json: tests/socketio/package-lock.json
	@command -v npm >/dev/null || { \
		echo "The tests with npm's socket.io-client need Node 18 or newer with npm: install it." >&2; exit 1; }
	@cd tests/socketio && npm ci --loglevel=error && touch node_modules/.package-lock.json

bench:  ## price a delivery, ours and others'; options in ARGS=, --help among them
	@$(RUN) bench -m tests.bench $(ARGS)

bench-sizes:  ## our cost against gateways, connections, members and rooms; options in ARGS=
	@$(RUN) bench -m tests.bench.sizes $(ARGS)

structure:  ## count layers, rooms, circles, and files that a message crosses; options in ARGS=, --help among them
	@$(RUN) dev -m tests.structure $(ARGS)

chaos:  ## load and faults against a cluster, and a verdict; CHAOS_SEED=, CHAOS_MINUTES=
	@$(RUN) dev -m tests.faults

chaos-controls:  ## take one protection out at a time: the checker must notice each
	@$(RUN) dev -m tests.faults.controls

chaos-formats:  ## two builds side by side under load and faults, from one to the other both ways
	@$(RUN) dev -m tests.faults.formats

nightly: chaos-controls chaos-formats  ## what is too long for each change, to be run before a large one is done

test-javascript: setup  ## the tests of the JavaScript client; needs Node 20
	@$(NODE_TEST) tests/javascript/*.test.js

test-browser: setup tests/browser/node_modules  ## the tests of the chat page; needs Node 20 and Debian's Chromium
	@$(NODE_TEST) tests/browser/*.test.js

test-reference: tests/reference/node_modules  ## the AsyncAPI document, by AsyncAPI's own parser; needs Node 20
	@node --test --test-reporter=spec tests/reference/*.test.js

test-sdk: test-sdk-python test-sdk-javascript test-sdk-guides  ## install the built clients in empty folders, and use them there

test-sdk-python:  ## the wheel of the Python client; options for pytest in ARGS=
	@$(RUN) dev -m pytest tests/sdk/python $(ARGS)

test-sdk-javascript: setup clients/javascript/node_modules tests/sdk/javascript/node_modules  ## the npm package; needs Node 20.19 and Debian's Chromium
	@$(NODE_TEST) tests/sdk/javascript/*.test.js

test-sdk-guides: clients/javascript/node_modules tests/sdk/javascript/node_modules tests/socketio/node_modules/.package-lock.json  ## follow the guides of docs/ and the examples, step by step; needs Node 20.19
	@$(RUN) dev -m pytest tests/sdk/guides $(ARGS)

clients: wheel  ## build the client libraries into dist/; the npm package where there is npm
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory npm-package; \
		else echo "There is no npm here, so the npm package is not built."; fi

wheel: setup-dev
	@$(VENV)/bin/python -m build --no-isolation --outdir dist clients/python >/dev/null
	@ls dist/parley_chat-*

npm-package: clients/javascript/node_modules
	@mkdir -p dist && cd clients/javascript && npm pack --silent --pack-destination ../../dist >/dev/null
	@ls dist/parley-chat-*.tgz

screenshots: setup tests/browser/node_modules  ## take the README's pictures of the chat page again
	@SCREENSHOTS=$(CURDIR)/docs/images $(NODE_TEST) tests/browser/access.test.js

# Exactly what the lock file beside it pins.
%/node_modules: %/package-lock.json
	@command -v npm >/dev/null || { echo "This needs Node 20 or later with npm: install it." >&2; exit 1; }
	@cd $* && npm ci --no-audit --no-fund --loglevel=error && touch node_modules

docs:  ## build the site of docs/ into build/docs, and check links and code of all pages
	@$(RUN) docs -m sphinx -q -W --keep-going -d build/doctrees docs build/docs
	@$(VENV)/bin/python -m tools.check_documents

hooks: setup-dev  ## let git check each commit before it is made: style, types and spelling
	@$(VENV)/bin/pre-commit install

lint: setup-dev  ## check style, types, imports, spelling and words
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@PYTHONPATH=clients/python/src $(VENV)/bin/lint-imports
	@$(VENV)/bin/codespell
	@$(VENV)/bin/python -m tools.words

words: setup-dev  ## list words that docs/glossary.md tells us not to use, and empty docstrings
	@$(VENV)/bin/python -m tools.words $(ARGS)

format: setup-dev  ## bring the code into shape
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

generate: setup-dev  ## write what is made from the code: the clients' constants, the reference
	@$(VENV)/bin/python -m tools.generate $(ARGS)

requirements: setup-dev  ## pin what requirements/*.in ask for; UPGRADE=1 takes newer versions
	@$(PIN) requirements/runtime.in -o requirements/runtime.txt
	@$(PIN) -c requirements/runtime.txt requirements/dev.in -o requirements/dev.txt
	@$(PIN) -c requirements/dev.txt requirements/bench.in -o requirements/bench.txt
	@$(PIN) -c requirements/dev.txt requirements/fuzz.in -o requirements/fuzz.txt
	@$(PIN) -c requirements/dev.txt requirements/docs.in -o requirements/docs.txt

audit:  ## ask whether a pinned package, or what is inside, has a known vulnerability; fails too where nobody can say
	@$(RUN) dev -m deploy.audit $(ARGS)

sbom: setup-dev  ## write a bill of materials of the pinned packages and what is inside to sbom.json (CycloneDX)
	@$(VENV)/bin/python -m deploy.supply.bill

clean:  ## remove .venv and caches; the data of clusters stays
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .fuzz build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
