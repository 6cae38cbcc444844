# The words of the house; `make demo` and `make test` set up what they need.
PYTHON ?= python3
BIN := .venv/bin
EDITORS := tests/editors
TYPESCRIPT := clients/typescript
OPENAPI := tests/openapi
unexport PYTHONDONTWRITEBYTECODE  # tests start the program hundreds of times, which then need not compile it again

.PHONY: demo test together check lint types golden fuzz bench bench-tables bench-service docs editors typescript typescript-types openapi-lint openapi-try npm-tools-if-npm clean

demo: .venv/base
	$(BIN)/policy report --as-of 2025-06-30 --out build/report \
	    partner_earnings=fixtures/account_moves.jsonl \
	    user_roles=fixtures/role_questions.jsonl \
	    email_suppression=fixtures/senders.jsonl
	@# exit code 3 says that answers differ, which is what is shown here
	$(BIN)/policy compare email_suppression --facts fixtures/senders.jsonl --as-of 2025-06-30 || test $$? -eq 3

test: .venv/dev npm-tools-if-npm lint
	$(MAKE) --no-print-directory --jobs=2 together types check
	$(BIN)/python -m pytest tests/alone

together: .venv/dev
	$(BIN)/python -m pytest -n auto --dist worksteal --ignore tests/alone

check: .venv/base
	$(BIN)/policy check rules --strict
	$(BIN)/policy fmt --check rules examples/rules

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev
	$(BIN)/mypy

docs: .venv/dev
	$(BIN)/python docs/make.py
	$(BIN)/policy rules docs

golden: .venv/dev
	$(BIN)/python -m pytest --golden

fuzz: .venv/dev
	AGREEMENT_EXAMPLES=100000 $(BIN)/python -m pytest tests/test_agreement.py tests/test_columnar_agreement.py
	HOSTILE_EXAMPLES=20000 $(BIN)/python -m pytest tests/test_hostile.py -k "is_read or are_read"

bench: .venv/bench
	$(BIN)/python -m benchmarks

bench-tables: .venv/bench
	$(BIN)/python -m benchmarks.tables

bench-service: .venv/bench benchmarks/service/node_modules/.package-lock.json
	@command -v wrk >/dev/null || { echo "the benchmarks of the service need Debian's wrk: install it first" >&2; exit 1; }
	$(BIN)/python -m benchmarks.service

editors: $(EDITORS)/node_modules/.package-lock.json

typescript: $(TYPESCRIPT)/node_modules/.package-lock.json

# the types of the shipped rulesets
typescript-types: .venv/base typescript
	mkdir -p build
	$(BIN)/policy serve openapi > build/openapi.json
	cd $(TYPESCRIPT) && POLICY_OPENAPI=$(CURDIR)/build/openapi.json npm run --silent generate

openapi-lint: .venv/base
	npm install --prefix $(OPENAPI) --no-audit --no-fund --no-package-lock --loglevel=error
	mkdir -p build
	$(BIN)/policy serve openapi > build/openapi.json
	cd $(OPENAPI) && npx redocly lint $(CURDIR)/build/openapi.json && npx spectral lint --fail-severity hint $(CURDIR)/build/openapi.json

# five minutes at all shipped rulesets, which must be served at port 8000
openapi-try: .venv/dev
	SCHEMATHESIS_HOOKS=tests.openapi.schemathesis_hooks PYTHONPATH=. $(BIN)/schemathesis --config-file $(OPENAPI)/schemathesis.toml \
	    run http://localhost:8000/openapi.json --checks all --max-time 300 --continue-on-failure

npm-tools-if-npm:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory editors typescript; \
	else echo "no npm: the tests of editors and of the TypeScript client are skipped; they need Node.js 18 or later with npm"; fi

clean:
	rm -rf .venv build $(EDITORS)/node_modules $(TYPESCRIPT)/node_modules $(TYPESCRIPT)/dist $(OPENAPI)/node_modules

.venv/base: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

.venv/dev: pyproject.toml .venv/base
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

.venv/bench: pyproject.toml .venv/base
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	touch $@

benchmarks/service/node_modules/.package-lock.json: benchmarks/service/package-lock.json
	npm ci --prefix benchmarks/service --no-audit --no-fund --loglevel=error
	touch $@

$(EDITORS)/node_modules/.package-lock.json: $(EDITORS)/package-lock.json
	@command -v npm >/dev/null || { echo "the editor tests need Node.js 18 or later with npm: install them first" >&2; exit 1; }
	npm ci --prefix $(EDITORS) --no-audit --no-fund --loglevel=error
	touch $@

$(TYPESCRIPT)/node_modules/.package-lock.json: $(TYPESCRIPT)/package-lock.json
	@command -v npm >/dev/null || { echo "the TypeScript client needs Node.js 18 or later with npm: install them first" >&2; exit 1; }
	npm ci --prefix $(TYPESCRIPT) --no-audit --no-fund --loglevel=error
	touch $@
