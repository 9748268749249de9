# Everything a person or CI runs. Each target does its own set-up.
.PHONY: demo test quick interop mutants lint audit bench fuzz chaos soak outage flood setup lock clean

demo: setup
	.venv/bin/callrace demo

# What is to be fetched is fetched before: the tests' time is bounded, a network's is not.
test: lint
	@asterisk-docker/lab root
	.venv/bin/python -m pytest

# What needs no Asterisk: under a minute on two cores.
quick: setup
	.venv/bin/python -m pytest -n 2 tests/unit tests/property tests/behaviour tests/web --ignore tests/web/test_process.py

# Writes docs/interop.md, when all tests that it names have passed.
interop: setup
	@asterisk-docker/lab root
	.venv/bin/python -m pytest tests/live -m interop --write-interop

# Whether the quick tests would notice: an hour on two cores. ONLY="ari_app.domain.routing.race*" tries some, again.
mutants: setup var/mutmut
	.venv/bin/python -m tests.mutants $(foreach name,$(ONLY),'$(name)')

var/mutmut: tests/mutants/mutmut.txt
	.venv/bin/pip install --quiet --require-hashes --no-deps --upgrade --target $@ --requirement $<

lint: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

# Known vulnerabilities of what is pinned. Exit code 3 of the module: no advisory service answers here.
audit: setup
	.venv/bin/python -m tests.audit

bench: setup
	.venv/bin/python -m tests.bench

fuzz: setup var/atheris
	.venv/bin/python -m tests.fuzz

var/atheris: tests/fuzz/atheris.txt
	.venv/bin/pip install --quiet --require-hashes --no-deps --upgrade --target $@ --requirement $<

# Faults under load: 88 of them, and for MINUTES those that no process dies of. SEED repeats a run. Need root.
chaos: setup
	.venv/bin/python -m tests.chaos chaos --keep $(SEED:%=--seed %)

soak: setup
	.venv/bin/python -m tests.chaos soak --keep $(MINUTES:%=--minutes %) $(SEED:%=--seed %)

# The database away for MINUTES.
outage: setup
	.venv/bin/python -m tests.chaos outage --keep $(MINUTES:%=--minutes %)

# Attackers for MINUTES while callers call. Needs root.
flood: setup var/sipvicious
	.venv/bin/python -m tests.chaos flood --keep --rate 2 --minutes $(or $(MINUTES),5)

var/sipvicious: tests/chaos/sipvicious.txt
	python3 -m venv --clear $@
	$@/bin/pip install --quiet --require-hashes --requirement $<

setup:
	@./setup

# Pins every dependency, and theirs, to exact versions and hashes. Needs uv.
lock:
	@printf '%s\n' \
		'# Every package Callrace runs, tests and builds with, pinned by version and hash, for Python 3.11' \
		'# and newer on any platform. Made from pyproject.toml by "make lock"; do not edit it by hand.' \
		> requirements.lock.new
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra dev \
		--no-header --no-emit-index-url --no-emit-find-links pyproject.toml >> requirements.lock.new
	@mv requirements.lock.new requirements.lock

# Ends every lab and switch whose home is var/ or a directory in it, then removes all that was made here.
clean:
	@for home in var var/*; do \
		[ -d "$$home/asterisk" ] || continue; \
		[ ! -x .venv/bin/callrace ] || CALLRACE_HOME=$$home .venv/bin/callrace lab down; \
		CALLRACE_HOME=$$home asterisk-docker/lab down; \
	done
	rm -rf var .venv .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .benchmarks *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
