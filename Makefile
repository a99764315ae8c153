# make setup   build .venv with everything (quick the second time)
# make run     the first run: pre-train, switch, fine-tune, report
# make test    what every change must pass
# make test-isa     learning, and some golden traces, on an instruction set that rounds otherwise
# make test-extras  what needs a bare installation, or a large or rare package
# make first-run-study  ten seeds of the first run on two instruction sets: an hour on two cores
# make docs    the documents as a site, in build/site
# make laws    the long examination of every method, all golden traces on that instruction set too: an hour
# make bench-gpu    many seeds at once on an accelerator, beside published numbers
# make kills   a hundred kills at random moments, resumed to equal bits: half an hour on two cores
# make robot-kills    a robot and its learner, twenty kills in turn: no step lost, none doubled; three minutes
# make rehearsal      an arm that does things late, in real time: ten minutes with nothing else on the machine
# make rehearsal-virtual  the same on a virtual clock beside the synchronous run, three seeds: ten minutes of a core
# make soak    two million online steps, in which memory must stand still: some minutes
# make independent  TD3-BC, IQL and Cal-QL beside plain PyTorch on maze2d: hours, goes on
# make bench-peers  loop and updates beside SBX, Stable-Baselines3, d3rlpy: an hour on a quiet machine
# make bench   step times, and data at a million rows and at five: an hour on a quiet machine

PYTHON ?= python3
PYTHON_IS_NEW := $(PYTHON) -c 'import sys; sys.exit("warmstart needs Python 3.11 or newer; try: make setup PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
EXTRAS := mazes,locomotion,manipulation,metaworld,minari,tables,video,dev
VENV := .venv/bin
STAMP := .venv/.stamp
# One test process a core; more threads inside each would only stand in each other's way. A file's
# tests share a process, and with it what they compile and make.
ONE := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
PIP := $(VENV)/python -m pip --disable-pip-version-check --quiet
# An environment with pip, also where Python was packaged without it.
venv = $(PYTHON) -m venv $(1) || { $(PYTHON) -m venv --without-pip $(1) && $(PYTHON) -m pip --python $(1)/bin/python install --quiet pip; }

# What `make test-extras` adds to a bare installation: names of pyproject.toml's optional
# dependencies with their comma and brackets, "[ray]"; their pins stand in constraints-extras.txt.
RARE := [ray,slurm,onnx,hub,wandb,mlflow]
APART := .venv-extras/bin
APART_PIP := $(APART)/python -m pip --disable-pip-version-check --quiet
APART_STAMP := .venv-extras/.stamp
SITE := .venv-docs/bin
SITE_STAMP := .venv-docs/.stamp

.PHONY: setup run first-run-study test test-isa test-extras lint docs laws kills robot-kills rehearsal \
  rehearsal-virtual soak bench bench-gpu bench-peers independent clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON_IS_NEW)
	$(call venv,.venv)
	$(PIP) install -c constraints.txt -e '.[$(EXTRAS)]'
	@touch $@

run: setup
	$(VENV)/warmstart run wsrl two-rooms --seeds 0,1 --set bc_weight=0

first-run-study: setup
	$(VENV)/python -m benchmarks.first_run

lint: setup
	$(VENV)/ruff check
	$(VENV)/ruff format --check
	$(VENV)/pyright

test: lint
	$(ONE) $(VENV)/python -m pytest -n 2 --dist loadfile -m 'not laws' --durations=10

# AVX has no fused multiply-add.
ISA := $(ONE) XLA_FLAGS=--xla_cpu_max_isa=AVX $(VENV)/python -m pytest -n 2 -m 'not laws'

test-isa: setup
	$(ISA) tests/probes tests/learners/test_claims.py
	$(ISA) tests/golden/test_golden.py -k '(wsrl or cal_ql or iql or rlpd) and not rlpd_chunks'

$(APART_STAMP): pyproject.toml constraints.txt constraints-extras.txt
	@$(PYTHON_IS_NEW)
	$(call venv,.venv-extras)
	$(APART_PIP) install -c constraints-extras.txt '.$(RARE)' pytest hypothesis playwright
	@touch $@

test-extras: $(APART_STAMP)
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { \
	  echo 'make test-extras opens pages in Chromium; install it: apt-get install chromium'; exit 1; }
	$(APART_PIP) install --no-deps --force-reinstall .
	$(ONE) $(APART)/python -m pytest tests/extras

# Docstrings are read from the files, so that nothing of ours is installed here.
$(SITE_STAMP): constraints-docs.txt
	@$(PYTHON_IS_NEW)
	$(call venv,.venv-docs)
	$(SITE)/python -m pip --disable-pip-version-check --quiet install \
	  -c constraints-docs.txt mkdocs-material 'mkdocstrings[python]' ruff
	@touch $@

docs: $(SITE_STAMP)
	NO_MKDOCS_2_WARNING=1 $(SITE)/mkdocs build --strict
	@echo "open build/site/index.html"

laws: setup
	$(ONE) $(VENV)/python -m pytest -n 2 -m laws
	$(ISA) tests/golden/test_golden.py tests/learners tests/probes

kills: setup
	$(ONE) $(VENV)/python -m benchmarks.kills
	$(ONE) $(VENV)/python -m benchmarks.kills --signals --kills 18 --each 3

robot-kills: setup
	$(ONE) $(VENV)/python -m benchmarks.robot_kills

rehearsal: setup
	$(ONE) $(VENV)/python -m benchmarks.rehearsal

rehearsal-virtual: setup
	$(ONE) $(VENV)/python -m benchmarks.rehearsal --virtual

soak: setup
	$(VENV)/python -m benchmarks.soak

bench: setup
	$(VENV)/python -m benchmarks.bench
	$(VENV)/python -m benchmarks.data 1000000
	$(VENV)/python -m benchmarks.data 5000000

PEERS := .venv-peers/bin
PEERS_STAMP := .venv-peers/.stamp

$(PEERS_STAMP): constraints-peers.txt
	@$(PYTHON_IS_NEW)
	$(call venv,.venv-peers)
	$(PEERS)/python -m pip --disable-pip-version-check --quiet install -c constraints-peers.txt \
	  sbx-rl stable-baselines3 d3rlpy 'gymnasium[mujoco]'
	@touch $@

INDEPENDENT := .venv-independent/bin
INDEPENDENT_STAMP := .venv-independent/.stamp

$(INDEPENDENT_STAMP): constraints-independent.txt
	@$(PYTHON_IS_NEW)
	$(call venv,.venv-independent)
	$(INDEPENDENT)/python -m pip --disable-pip-version-check --quiet install \
	  -c constraints-independent.txt torch numpy
	@touch $@

independent: setup $(INDEPENDENT_STAMP)
	$(ONE) $(VENV)/python -m benchmarks.independent --json benchmarks/independent/maze2d.json

bench-peers: setup $(PEERS_STAMP)
	@mkdir -p build
	$(VENV)/python -m benchmarks.peers --json build/peers.json

bench-gpu: setup
	$(VENV)/python -m benchmarks.gpu

clean:
	rm -rf .venv .venv-extras .venv-peers .venv-independent .venv-docs build dist src/*.egg-info .pytest_cache .ruff_cache .hypothesis
