# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
FILM := media/big_buck_bunny_720p24.mp4

.PHONY: setup demo test test-slow lint bench clean
setup: $(READY)

$(READY): pyproject.toml constraints.txt .ci/venv
	sh .ci/venv $(PYTHON) $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

$(FILM): | $(READY)
	$(BIN)/python -m cinecut.demo media

demo: $(READY) $(FILM)
	mkdir -p out
	$(BIN)/cinecut render specs/big_buck_bunny.yaml --force -o out/big_buck_bunny_trailer.mp4

test: lint
	$(BIN)/python -m pytest

test-slow: $(READY)
	$(BIN)/python -m pytest -m slow

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY) $(FILM)
	CINECUT_FILM=$(FILM) $(BIN)/python -m bench

clean:
	rm -rf $(VENV) out .bench .mypy_cache .ruff_cache .pytest_cache
