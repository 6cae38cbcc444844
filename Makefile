# The words of the house; `make demo` and `make test` set up what they need.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check lint types golden docs clean

demo: .venv/base
	$(BIN)/policy report --as-of 2025-06-30 --out build/report \
	    partner_earnings=fixtures/account_moves.jsonl \
	    user_roles=fixtures/role_questions.jsonl \
	    email_suppression=fixtures/senders.jsonl

test: .venv/dev lint types
	$(BIN)/policy check rules
	$(BIN)/policy test rules
	$(BIN)/python -m pytest

check: .venv/base
	$(BIN)/policy check rules

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev
	$(BIN)/mypy

golden: .venv/dev
	$(BIN)/python -m pytest --golden

clean:
	rm -rf .venv build

.venv/base: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

.venv/dev: pyproject.toml .venv/base
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@
