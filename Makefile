# Two commands on a machine with Python 3.11+ and make:
#   make demo   set up, adapt the embedded scenes, write runs/demo/report.html
#   make test   set up, run the tests
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check docs wheel-check benchmarks quick-benchmarks clean

demo: $(READY)
	$(BIN)/segadapt run demo --out runs/demo --device cpu

test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadscope

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The documents as pages: site/index.html. With --quiet, --strict would count no warnings.
docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# The wheel is built, installed beside nothing of the source tree, and begins the demonstration.
wheel-check: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m slow tests/e2e/test_wheel.py

# Ours beside what else one would run: benchmarks/README.md. The first is for an idle machine.
benchmarks: $(READY)
	$(BIN)/python -m benchmarks

quick-benchmarks: $(READY)
	$(BIN)/python -m benchmarks --quick

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "segadapt needs Python 3.11 or newer; name one with make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev,docs,tensorboard,hub,digits,timm,tiff,export,video]"
	touch $@

clean:
	rm -rf $(VENV) site runs/demo
