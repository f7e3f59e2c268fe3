# Each target is a line or two that calls the real tool. `make` lists them.
PYTHON ?= python3
BIN := .venv/bin
# Write compiled modules, whatever the shell says: processes start and pytest collects in a third of the time.
export PYTHONDONTWRITEBYTECODE :=
OURS := linkadmin tests benchmarks bin .ci manage.py

.PHONY: help run test bench screenshots lighthouse pictures soak environment lint types contracts check messages lock clean

help: ## list the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/make \1	\2/p' Makefile | expand -t 18

run: export PORT ?= 8000
run: export SIMULATOR_PORT ?= 8800
run: export LINKADMIN_DATA ?= var
run: export LINKADMIN_LOG_LEVEL ?= WARNING
run: ## run everything with demo data (PORT, SIMULATOR_PORT, LINKADMIN_DATA; RESET=1 starts over)
	@$(PYTHON) bin/environment.py requirements.txt "$(LINKADMIN_DATA)"
	@$(BIN)/python -m linkadmin.demo $(if $(filter-out 0,$(RESET)),--reset)

test: environment ## run the tests (ARGS="-k name" selects some; .ci/run adds slow ones and those that need servers or Chromium)
	@$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not servers and not browser and not processes and not contracts and not thorough and not deep and not performance" $(ARGS)

bench: environment ## measure the product beside floors and peers (SIZE=S, M, L; ENGINE=sqlite, postgresql; W=1,2)
	@$(BIN)/python -W ignore -m benchmarks --size $(or $(SIZE),S) $(if $(ENGINE),--engine $(ENGINE)) $(if $(W),--workloads $(W))

screenshots: export SCREENSHOTS = $(or $(FOLDER),var/screenshots)
screenshots: environment ## check every state of every page in Chromium, and store pictures and faults (FOLDER, default var/screenshots)
	@mkdir -p "$(SCREENSHOTS)" && rm -f "$(SCREENSHOTS)/faults.txt"
	@$(BIN)/pytest -q -n 2 tests/browser/test_every_page.py

lighthouse: environment ## run Lighthouse on ten pages of a demo that make run started (PORT; needs Node and Chromium)
	@$(BIN)/python bin/lighthouse.py http://127.0.0.1:$(or $(PORT),8000)

pictures: environment ## take README's pictures again
	@PICTURES=1 $(BIN)/pytest -q tests/browser/test_readme_picture.py

soak: environment ## write to SQLite for an hour, and check that its log stays short (SOAK_SECONDS)
	@SOAK_SECONDS=$(or $(SOAK_SECONDS),3600) $(BIN)/pytest -q tests/test_database.py -k log_does_not_grow

environment: ## create .venv with everything the tests and checks need
	@$(PYTHON) bin/environment.py requirements-dev.txt

lint: environment ## ruff for Python, djlint for templates
	@$(BIN)/ruff check $(OURS)
	@$(BIN)/ruff format --check $(OURS)
	@$(BIN)/djlint --check templates
	@$(BIN)/djlint --quiet --lint templates

types: environment ## mypy, strict
	@$(BIN)/mypy

contracts: environment ## rules about imports between packages
	@$(BIN)/lint-imports

check: lint types contracts ## lint, types and contracts

messages: environment ## update the catalogs: all texts, and customers' in their languages (needs gettext)
	@$(BIN)/python manage.py makemessages --locale en --no-wrap --no-obsolete --add-location file --ignore .venv --verbosity 0
	@for language in es pt_BR; do \
		catalog=linkadmin/locale/$$language/LC_MESSAGES/django; \
		msggrep --no-wrap --location='templates/repair/customer/*' --location=linkadmin/repair/messages.py \
			linkadmin/locale/en/LC_MESSAGES/django.po | \
			msgmerge --quiet --no-wrap --no-fuzzy-matching --update --backup=none $$catalog.po - && \
			msgattrib --no-wrap --no-obsolete --output-file=$$catalog.po $$catalog.po && \
			sed -i '/^"\(POT-Creation-Date\|Report-Msgid-Bugs-To\):/d' $$catalog.po && \
			msgfmt --check-format --output-file=$$catalog.mo $$catalog.po; \
	done

lock: environment ## compile the requirements files again from the .in files
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes requirements-uv.in -o requirements-uv.txt
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes requirements.in -o requirements.txt
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes requirements-dev.in -o requirements-dev.txt

clean: ## remove the tools' caches; .venv and the data stay
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage htmlcov test-results
	@find $(OURS) -name __pycache__ -type d -prune -exec rm -rf {} +
