# make doodle          install everything, then serve the doodle page on http://localhost:8866/
# make doodle PORT=9000
# make test            install everything, then run all tests, those of inference with both engines (needs Chromium and Node.js)
# make test-fast       the quick tests of layers, networks, losses, data, metrics and configuration, in two minutes
# make test-oldest     the tests of all code that imports paddle, except the service, on Paddle 2.6.2
# make check           ruff, and the types of Python and JavaScript
# make coverage        branch coverage of configuration, data, checkpoints and service by their own tests
# make docs            build the documentation into site/
# make dist            build and check the wheel and the source distribution in dist/
# make requirements    update the pinned versions and hashes of the container image, after changes to setup.py or constraints.txt

PORT ?= 8866
PYTHON ?= python3
VENV ?= .venv
OLDEST ?= .venv-oldest
BIN := $(VENV)/bin
# PaddleHub installs modules here, not in the home folder
export HUB_HOME ?= $(CURDIR)/.hub
# paddle warns at every start that ccache is not installed
QUIET := PYTHONWARNINGS=ignore::UserWarning
# two tests at a time, each file in one process, since the tests of a file share services and runs; quick files first
PYTEST := python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

PINNED = $(BIN)/uv pip compile --quiet --upgrade --generate-hashes --python-version 3.11 --no-header --no-annotate -c constraints.txt

.PHONY: doodle test test-fast test-oldest check coverage docs dist requirements clean

doodle: $(VENV)/installed $(HUB_HOME)/installed
	@$(BIN)/python -c "import socket, sys; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); \
	  sys.exit(0) if s.connect_ex(('127.0.0.1', $(PORT))) else sys.exit('error: port $(PORT) is in use; try: make doodle PORT=9000')"
	@echo "Starting; in about ten seconds open http://localhost:$(PORT)/   (Ctrl-C to stop)"
	@trap 'exit 0' INT; $(QUIET) $(BIN)/hub serving start -m gaugan_doodle -p $(PORT)

$(VENV)/installed: setup.py constraints.txt
	@echo "Installing into $(VENV): about 2 GB, takes a few minutes, only once"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[cpu,serve,annotate,evaluate,onnx]" -c constraints.txt
	@touch $@

$(HUB_HOME)/installed: $(VENV)/installed $(shell find hub_module -type f)
	$(QUIET) $(BIN)/hub install hub_module
	@touch $@

test: $(VENV)/installed-dev
	sh tests/setup_browser.sh
	$(BIN)/$(PYTEST)
	GAUGAN_ENGINE=paddle $(BIN)/$(PYTEST) tests/inference --ignore tests/inference/native  # as without a C compiler

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[cpu,serve,annotate,evaluate,onnx,dev,docs]" -c constraints.txt
	@touch $@

test-fast: $(VENV)/installed-dev
	$(BIN)/$(PYTEST) -m "not slow" tests/layers tests/networks tests/losses tests/data tests/metrics tests/test_config.py \
	  tests/test_reading.py tests/test_architecture.py tests/article

# 2.6.2 is the last paddlepaddle-gpu on the package index, so training must work there; tests without paddle are left out
test-oldest: $(OLDEST)/installed
	$(OLDEST)/bin/$(PYTEST) tests/layers tests/networks tests/compression tests/losses tests/inference tests/convert \
	  tests/metrics tests/judge tests/features tests/onednn tests/evaluation tests/engine tests/annotate \
	  --ignore tests/annotate/test_review.py

$(OLDEST)/installed: setup.py constraints.txt
	$(PYTHON) -m venv $(OLDEST)
	grep -v -E "^(paddlepaddle|paddle2onnx)=" constraints.txt > $(OLDEST)/constraints.txt
	$(OLDEST)/bin/pip install --quiet --disable-pip-version-check -e ".[annotate]" paddlepaddle==2.6.2 "pytest>=8" "pytest-xdist>=3.6" \
	  "hypothesis>=6.100" paddle2onnx==1.3.1 onnx onnxruntime -c $(OLDEST)/constraints.txt
	@touch $@

check: $(VENV)/installed-dev $(VENV)/typescript/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	node $(VENV)/typescript/node_modules/typescript/bin/tsc --project tests/page/tsconfig.json

$(VENV)/typescript/installed:
	npm install --silent --no-audit --no-fund --prefix $(VENV)/typescript typescript@5.9.3
	@touch $@

coverage: $(VENV)/installed-dev
	$(BIN)/python tests/coverage_parts.py

# the variable silences an unrelated message of the theme
docs: $(VENV)/installed-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

dist: $(VENV)/installed-dev
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	$(BIN)/twine check --strict dist/*
	@ls -l dist

requirements: $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(PINNED) setup.py --extra cpu --extra serve --extra annotate -o deploy/requirements.txt
	printf 'setuptools\nsetuptools_scm\nwheel\n' | $(PINNED) - -c deploy/requirements.txt -o deploy/build-requirements.txt

clean:
	rm -rf $(VENV) $(OLDEST) $(HUB_HOME)
