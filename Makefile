# make demo   installs the software beside this file and runs the demo study on drawn images
# make test   installs it with what the tests need and runs the whole suite
# make lint   ruff and mypy
PYTHON ?= python3
VENV ?= .venv
TEST_EXTRAS = test,postgres,s3,onnx
BIN = $(VENV)/bin

.PHONY: demo test lint clean
demo: $(VENV)/.runtime
	$(BIN)/python -m study.launch

test: $(VENV)/.tests
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

lint: $(VENV)/.tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "This software needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The stamps are older than a changed pyproject.toml, which installs again.
$(VENV)/.runtime: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.tests: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[$(TEST_EXTRAS)]'
	touch $@ $(VENV)/.runtime
