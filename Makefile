# make setup   build .venv with everything (quick the second time)
# make run     the first run: pre-train, switch, fine-tune, report
# make test    what every change must pass
# make laws    the long examination of every method
# make bench   step times, and data at a million rows and at five: an hour on a quiet machine

PYTHON ?= python3
EXTRAS := mazes,locomotion,manipulation,metaworld,minari,tables,video,dev
VENV := .venv/bin
STAMP := .venv/.stamp
# One test process a core; more threads inside each would only stand in each other's way.
ONE := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
PIP := $(VENV)/python -m pip --disable-pip-version-check --quiet

.PHONY: setup run test lint laws bench clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("warmstart needs Python 3.11 or newer; try: make setup PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv || { $(PYTHON) -m venv --without-pip .venv && $(PYTHON) -m pip --python $(VENV)/python install --quiet pip; }
	$(PIP) install -c constraints.txt -e '.[$(EXTRAS)]'
	@touch $@

run: setup
	$(VENV)/warmstart run wsrl pointmaze-large --seeds 0,1

lint: setup
	$(VENV)/ruff check
	$(VENV)/ruff format --check
	$(VENV)/pyright

test: lint
	$(ONE) $(VENV)/python -m pytest -n 2 -m 'not laws'

laws: setup
	$(ONE) $(VENV)/python -m pytest -n 2 -m laws

bench: setup
	$(VENV)/python -m benchmarks.bench
	$(VENV)/python -m benchmarks.data 1000000
	$(VENV)/python -m benchmarks.data 5000000

clean:
	rm -rf .venv build dist src/*.egg-info .pytest_cache .ruff_cache .hypothesis
