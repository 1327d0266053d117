# make demo   installs the software beside this file and runs the demo study on drawn images, or goes on with it
# make test   installs it with what the tests need and runs the whole suite
# make lint   ruff, mypy and the import contracts
# make gpu    checks and measures on this machine's CUDA card for at most nine minutes, with the torch of PYTHON and
#             nothing installed; RESULTS=FOLDER for its JSON file
# make docs   builds the documentation into site/, with every link checked
# make lock   resolves the versions of requirements.lock anew
# make latest the suite with the newest release of every dependency, whatever pyproject.toml admits
#             (on Linux pip then takes torch's CUDA build: several gigabytes)
# make clean  removes what these made, but no study
# make help   prints these lines
PYTHON ?= python3
VENV ?= .venv
TEST_EXTRAS = test,postgres,s3,onnx
BIN = $(VENV)/bin
comma := ,

RESULTS ?= benchmarks/results

.PHONY: demo test lint gpu docs lock latest clean help
demo: $(VENV)/.runtime
	$(BIN)/python -m study.launch $(if $(wildcard runs/demo/study.yaml),--name demo --resume)

test: $(VENV)/.tests
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

lint: $(VENV)/.tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --config .importlinter.toml

gpu:
	$(PYTHON) -m benchmarks gpu --results $(RESULTS)

docs: $(VENV)/.docs
	$(BIN)/mkdocs build --strict

# CUDA's own packages are left out, since they follow from the build of torch.
lock: | $(BIN)/python
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/python .ci/lock.py > requirements.lock

latest:
	$(PYTHON) -m venv --clear $(VENV)-latest
	$(PYTHON) .ci/uncapped.py $(subst $(comma), ,$(TEST_EXTRAS)) > $(VENV)-latest/requirements.txt
	$(VENV)-latest/bin/python -m pip install --quiet --requirement $(VENV)-latest/requirements.txt
	$(VENV)-latest/bin/python -m pip install --quiet --no-deps --editable .
	$(VENV)-latest/bin/python -m pytest --numprocesses 2 --dist loadfile

clean:
	rm -rf $(VENV) $(VENV)-latest site

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "This software needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The stamps are older than changed requirements, which install again.
$(VENV)/.runtime: pyproject.toml requirements.lock | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --editable .
	touch $@

$(VENV)/.docs: pyproject.toml requirements.lock | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --editable '.[docs]'
	touch $@ $(VENV)/.runtime

$(VENV)/.tests: pyproject.toml requirements.lock | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --editable '.[$(TEST_EXTRAS)]'
	touch $@ $(VENV)/.runtime
