"""A trailer by segments: the same frames and samples as by its one graph, the same bytes whatever was there before."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from commandline import cinecut, start
from compiling import compiled
from effort import GIVE_UP, mostly_slow
from oracle import Film, Sound
from rendering import Piece, Rendered, looks, sound_errors, spec_text, wrong_frames

from cinecut.compiler.plan import RenderPlan
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.ffmpeg.run import Workplace, run_graph
from cinecut.graph.nodes import digest
from cinecut.machine.gpu import gpu_lock
from cinecut.render.folder import fill
from cinecut.render.job import SILENT, Job, prepare, prepare_live
from cinecut.render.master import sounds_of
from cinecut.render.segments.pictures import run_of, segments_of
from cinecut.render.store import Store
from cinecut.render.trailer import Effort, render
from cinecut.render.trailer import Rendered as Result

RATE = Fraction(24)
PIECES = tuple(Piece(Fraction(n, 2), 50 + n % 5) for n in range(6))


@pytest.fixture(scope="module")
def film(films: Callable[[Film], Film]) -> Film:
    return films(Film(Path("a.mp4"), RATE, 240, (160, 90), gop=12, sound=Sound(codec="flac")))


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store's folder, of this test alone."""
    monkeypatch.setenv("CINECUT_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("CINECUT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("CINECUT_STORE_GB", "1")
    return tmp_path / "cache" / "render"


def job_of(text: str, folder: Path) -> Job:
    (folder / "spec.yaml").write_text(text, encoding="utf-8")
    return prepare(folder / "spec.yaml")


def rendered(
    text: str,
    folder: Path,
    effort: Effort = Effort(),  # noqa: B008
    name: str = "out",
    ffmpeg: str | None = None,
) -> Result:
    job = job_of(text, folder)
    out = folder / f"{name}{job.plan.suffix}"
    return render(job, out, find_ffmpeg(ffmpeg), SILENT, force=True, effort=effort)


def cut_of(film: Film, pieces: Sequence[Piece] = PIECES, head: str = "output: {preset: ultrafast}") -> str:
    return spec_text(film, [piece.event for piece in pieces], head)


# The same frames and samples


def by_one_graph(job: Job, folder: Path, ffmpeg: str) -> dict[str, str]:
    """What the trailer's one graph makes, as `compile` prints it: every frame and all samples of each output."""
    folder.mkdir()
    with gpu_lock("a test", lambda holder: None) as lock:
        fill(job, folder, SILENT)
        names = [f"one{number}{target.suffix}" for number, target in enumerate(job.plan.targets)]
        run_graph(job.plan.render, names, Workplace(find_ffmpeg(ffmpeg), folder, lock, {}))
    return {t.name: content(folder / name, ffmpeg) for t, name in zip(job.plan.targets, names, strict=True)}


def content(file: Path, ffmpeg: str) -> str:
    command = [ffmpeg, "-v", "error", "-i", str(file), "-map", "0:v", "-f", "framehash", "-"]
    return subprocess.run(
        [*command, "-map", "0:a", "-f", "streamhash", "-"], capture_output=True, check=True, text=True
    ).stdout


HEADS = (
    "output: {codec: ffv1}",
    "output: {codec: ffv1, rate: 30000/1001, subtitles: burned, size: 128x128, fit: blur, loudness: as mixed}\n"
    "vibe: horror",
    "output: {codec: ffv1, subtitles: burned, loudness: as mixed}\nvibe: sci-fi\nrating: {still: card.png, for: 26f}\n"
    "deliverables: [{name: wide}, {name: tall, size: 90x160, fit: crop, subtitles: none}]",
)


def event(dice: random.Random, before: str) -> str:
    """An event of about a second, with whatever may reach over its ends."""
    length = dice.randint(28, 80)
    title = f"{{text: T{dice.randint(0, 99)}, at: {dice.randint(0, 9)}f, for: {dice.randint(4, 60)}f}}"
    more = dice.choice(["", "", f", titles: [{title}]", ", to: fade out 5f"])
    joint = dice.choice(["", "", "", ", from: crossfade 7f", ", from: dip to white 6f", ", from: dip to black 6f"])
    joint = "" if "fade out" in before else joint
    match dice.randint(0, 7):
        case 0:
            return f"{{black: {length}f{more}}}"
        case 1:
            return f"{{card: Card {length}, for: {length}f}}"
        case 2:
            return f"{{still: card.png, for: {length}f, scale: 0.5{joint}}}"
    start = Fraction(dice.randint(4, 24), 4)
    extra = dice.choice(["", ", speed: 0.5", ", speed: 1.5", ", line: 'Said, and read'", ", reframe: {x: 0.4}"])
    return f"{{shot: {{in: {float(start)}s, for: {length}f}}{extra}{joint}{more}}}"


@pytest.mark.matrix
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("seed", range(2))
def test_no_frame_and_no_sample_differs_from_the_one_graph(
    film: Film, bundled: Path, tmp_path: Path, kept: Path, head: str, seed: int
) -> None:
    """With all that may reach over a cut: transitions, titles, captions, a rating card."""
    dice = random.Random(f"{head}{seed}")
    picture = ["-f", "lavfi", "-i", "testsrc=size=80x60:duration=0.04", str(tmp_path / "card.png")]
    subprocess.run([bundled, "-v", "error", *picture], check=True)
    events = ["{shot: {in: 0s, for: 30f}}"]
    for _ in range(8):
        events.append(event(dice, events[-1]))
    text = spec_text(film, [*events, "{black: 70f}"], head)
    job = job_of(text, tmp_path)
    parts = segments_of(job.plan)
    assert len(parts) >= 4 * len(job.plan.targets)
    assert sum(part.frames for part in parts) == job.plan.frames * len(job.plan.targets)
    whole = by_one_graph(job, tmp_path / "one", str(bundled))
    done = rendered(text, tmp_path, ffmpeg=str(bundled))
    for name, file in done.files.items():
        assert content(file, str(bundled)).splitlines() == whole[name].splitlines(), name
    assert done.warnings == []


@pytest.mark.parametrize("codec", mostly_slow(["h264", "hevc", "av1", "prores", "ffv1"], {"h264", "hevc"}))
def test_every_codecs_segments_are_one_stream(film: Film, ffmpeg: Path, tmp_path: Path, kept: Path, codec: str) -> None:
    text = cut_of(film, head=f"output: {{codec: {codec}, preset: ultrafast, crf: 12}}")
    done = rendered(text, tmp_path, ffmpeg=str(ffmpeg))
    assert done.warnings == []
    assert len(done.new) >= 4
    found = Rendered(done.files[""])
    assert wrong_frames(found, looks(film, PIECES, RATE)) == []
    assert max(map(abs, sound_errors(found, film, PIECES, RATE))) <= 1


def test_what_cannot_be_joined_is_rendered_in_one_piece(film: Film, bundled: Path, tmp_path: Path, kept: Path) -> None:
    """An FFmpeg whose segments have other headers each time."""
    odd = tmp_path / "odd"
    odd.write_text(
        "#!/bin/bash\n"
        f'case "$*" in *segment_0.*) ;; *segment_*) exec {bundled} "${{@:1:$#-1}}" -refs 5 "${{@: -1}}" ;; esac\n'
        f'exec {bundled} "$@"\n'
    )
    odd.chmod(0o755)
    done = rendered(cut_of(film), tmp_path, ffmpeg=str(odd))
    assert [found.code for found in done.warnings] == ["segments"]
    assert wrong_frames(Rendered(done.files[""]), looks(film, PIECES, RATE)) == []
    assert done.new[-1] == ("", 0, sum(piece.frames for piece in PIECES))


# What is new


def cuts(count: int) -> list[str]:
    dice = random.Random(5)
    return [f"  - shot: {{in: {dice.randint(1, 5000)}s, for: {dice.randint(20, 60)}f}}\n" for _ in range(count)]


def planned(events: Sequence[str]) -> RenderPlan:
    return compiled(f"cinecut: 1\nfilm: film.mkv\ntimeline:\n{''.join(events)}")


def digests(plan: RenderPlan) -> list[tuple[int, str]]:
    """How long each segment is, and what it shows."""
    return [(s.frames, digest(list(run_of([s], plan.render.items).sinks.values()))) for s in segments_of(plan)]


@pytest.mark.parametrize("length", [3, 25, 100])
def test_an_event_that_comes_makes_only_its_neighbours_new(length: int) -> None:
    before = digests(planned(cuts(30)))
    for at in range(30):
        shots = cuts(30)
        shots.insert(at, f"  - black: {length}f\n")
        after = digests(planned(shots))
        new = [frames for frames, name in after if name not in {name for _, name in before}]
        assert len(new) <= 4, at
        assert sum(new) <= length + 6 * 60


def test_segments_are_neither_short_nor_long() -> None:
    lengths = [frames for frames, _ in digests(planned(cuts(300)))]
    assert min(lengths) >= 24
    assert max(lengths) < 2 * 24 + 60, "where a cut has a second on either side, there is a seam"
    assert len(lengths) > 200


def test_of_an_edit_only_its_segment_is_made(film: Film, tmp_path: Path, kept: Path) -> None:
    first = rendered(cut_of(film), tmp_path)
    edited = (*PIECES[:4], replace(PIECES[4], in_=Fraction(1, 4)), *PIECES[5:])
    second = rendered(cut_of(film, edited), tmp_path)
    assert 1 <= len(second.new) <= 3 < len(first.new)
    assert wrong_frames(Rendered(second.files[""]), looks(film, edited, RATE)) == []
    start = sum(piece.frames for piece in PIECES[:4])
    assert any(begin <= start < end for _, begin, end in second.new)
    assert rendered(cut_of(film), tmp_path).new == []


def test_another_text_or_an_in_point_near_changes_no_effect(film: Film, tmp_path: Path, kept: Path) -> None:
    card = "{{card: {}, for: 30f, sound: [braam, whoosh]}}"
    shot = "{{shot: {{in: {}s, for: 31f}}, sound: [riser, whoosh]}}"

    def effects(text: str, start: int, length: int = 30) -> list[str]:
        """What the effects sound like, and what all sounds like."""
        rows = [PIECES[0].event, card.format(text).replace("30f", f"{length}f"), shot.format(start)]
        (tmp_path / "spec.yaml").write_text(spec_text(film, rows, ""))
        plan = prepare(tmp_path / "spec.yaml").plan
        return [digest([plan.stems.sinks["effects"]]), *(digest(list(s.run.sinks.values())) for s in sounds_of(plan))]

    first = effects("One", 1)
    assert effects("Another", 1) == first
    assert effects("One", 2)[0] == first[0]
    assert effects("One", 2)[1:] != first[1:]
    assert effects("One", 6)[0] != first[0], "a row of shots of one length does not ring"
    assert effects("One", 1, 32)[0] != first[0]


def test_of_several_outputs_only_what_is_new_is_made(film: Film, tmp_path: Path, kept: Path) -> None:
    head = "output: {preset: ultrafast}\ndeliverables: [{name: a}, {name: b, size: 90x90, fit: crop}]"
    assert {name for name, _, _ in rendered(cut_of(film, head=head), tmp_path).new} == {"a", "b"}
    assert {name for name, _, _ in rendered(cut_of(film, head=head.replace("crop", "blur")), tmp_path).new} == {"b"}


def test_another_loudness_makes_no_picture_new(film: Film, tmp_path: Path, kept: Path) -> None:
    soft, loud = (f"output: {{preset: ultrafast, loudness: {name}}}" for name in ("r128", "web"))
    first = rendered(cut_of(film, head=soft), tmp_path)
    second = rendered(cut_of(film, head=loud), tmp_path)
    again = rendered(cut_of(film, head=soft), tmp_path)
    assert (second.new, again.new) == ([], [])
    assert again.levels == first.levels != second.levels


def test_of_a_live_draft_a_faders_move_makes_no_stem_new(film: Film, ffmpeg: Path, tmp_path: Path, kept: Path) -> None:
    """Its stems are kept by themselves; mixed of them it sounds sample by sample as by its one graph."""

    def drafted(gain: int, effort: Effort = Effort()) -> bytes:  # noqa: B008
        sounding = [events[0][:-1] + ", sound: [braam, whoosh]}", *events[1:]]
        (tmp_path / "spec.yaml").write_text(spec_text(film, sounding, f"mix: {{effects: {gain}}}"), encoding="utf-8")
        job = prepare_live(tmp_path / "spec.yaml")
        render(job, tmp_path / "live.mp4", find_ffmpeg(str(ffmpeg)), SILENT, force=True, effort=effort)
        return (tmp_path / "live.mp4").read_bytes()

    def stems() -> set[str]:
        return {entry.name for entry in kept.glob("??/[!.]*") if entry.read_bytes()[8:12] == b"WAVE"}

    events = [piece.event for piece in PIECES[:4]]
    alone = drafted(-3, Effort(store=False))
    whole = by_one_graph(prepare_live(tmp_path / "spec.yaml"), tmp_path / "one", str(ffmpeg))
    assert content(tmp_path / "live.mp4", str(ffmpeg)).splitlines()[-1] == whole[""].splitlines()[-1]
    first = drafted(-9)
    before = stems()
    assert drafted(-3) == alone != first
    assert stems() == before
    assert len(before) == 2


# The same bytes


def test_workers_and_store_change_no_byte(film: Film, tmp_path: Path, kept: Path) -> None:
    text = cut_of(film, head="output: {preset: ultrafast, loudness: web}")
    wanted = rendered(text, tmp_path, Effort(store=False)).files[""].read_bytes()
    assert not kept.exists()
    for jobs in (1, 3, None):
        assert rendered(text, tmp_path, Effort(jobs)).files[""].read_bytes() == wanted
        for number, entry in enumerate(sorted(kept.glob("??/*"))):
            if number % 3 == jobs:
                entry.unlink()


def test_a_damaged_entry_is_made_again_with_a_warning(film: Film, tmp_path: Path, kept: Path) -> None:
    wanted = rendered(cut_of(film), tmp_path).files[""].read_bytes()
    entries = sorted(kept.glob("??/*"))
    for number, entry in enumerate(entries):
        data = entry.read_bytes()
        damaged = (data[: len(data) // 2], bytes([data[0] ^ 1]) + data[1:], b"", data + b"more")
        entry.unlink()  # the working folder's name of it is gone: a link of its own
        entry.write_bytes(damaged[number % 4])
    again = rendered(cut_of(film), tmp_path)
    assert again.files[""].read_bytes() == wanted
    assert {found.code for found in again.warnings} == {"store"}
    assert len(again.new) > 4
    assert rendered(cut_of(film), tmp_path).warnings == []


def test_a_store_that_cannot_be_written_only_costs_the_keeping(film: Film, tmp_path: Path, kept: Path) -> None:
    kept.parent.mkdir()
    kept.write_text("a file where the folder should be")
    first, second = (rendered(cut_of(film), tmp_path) for _ in range(2))
    assert first.new == second.new != []
    assert second.warnings == []


def test_two_renders_at_once_share_a_store(film: Film, tmp_path: Path, kept: Path) -> None:
    """Each with a lock of its own, as on two machines that share a disk."""
    (tmp_path / "spec.yaml").write_text(cut_of(film), encoding="utf-8")
    runs = []
    for name in ("a", "b"):
        own = {"CINECUT_RUNTIME_DIR": str(tmp_path / name)}
        runs.append(start("render", "spec.yaml", "-o", f"{name}.mp4", cwd=tmp_path, changes=own))
    assert [run.wait(timeout=GIVE_UP) for run in runs] == [0, 0]
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    keys = [entry.name.partition(".")[0] for entry in kept.glob("??/[!.]*")]
    assert len(keys) == len(set(keys))
    assert not list(kept.glob("??/.*"))


def test_killed_at_any_moment_it_goes_on(film: Film, tmp_path: Path, kept: Path) -> None:
    text = cut_of(film, head="output: {preset: fast, size: 480x270, loudness: web}")
    wanted = rendered(text, tmp_path, Effort(store=False)).files[""].read_bytes()
    command = ("render", "spec.yaml", "-o", "killed.mp4", "--jobs", "2", "--json")
    for least in (1, 14):
        run = start(*command, cwd=tmp_path, group=True)
        while run.poll() is None and len(list(kept.glob("??/[!.]*"))) < least:
            time.sleep(0.005)
        run.kill()  # nothing, where it has ended already
        run.wait()
    assert not (tmp_path / "killed.mp4").exists()
    made = {entry.name: entry.stat().st_mtime_ns for entry in kept.glob("??/[!.]*")}
    done = cinecut(*command, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "killed.mp4").read_bytes() == wanted
    total = len(segments_of(prepare(tmp_path / "spec.yaml").plan))
    assert 0 < len(json.loads(done.stdout)["new"]) < total
    assert set(made) <= {entry.name for entry in kept.glob("??/[!.]*")}


@pytest.mark.slow
def test_killed_at_twenty_random_moments_nothing_that_was_done_is_done_again(
    film: Film, tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between any two entries of the store, the first and the last included."""
    text = cut_of(film, head="output: {preset: fast, size: 480x270, loudness: web}")
    wanted = rendered(text, tmp_path, Effort(store=False)).files[""].read_bytes()
    rendered(text, tmp_path)
    total, dice = len(list(kept.glob("??/[!.]*"))), random.Random(20)
    command = ("render", "spec.yaml", "-o", "killed.mp4", "--jobs", "2")
    made, keep = list[str](), Store.keep

    def keeping(store: Store, key: str, file: Path) -> None:
        made.append(key)
        keep(store, key, file)

    monkeypatch.setattr(Store, "keep", keeping)
    for _ in range(20):
        shutil.rmtree(kept)
        least, later = dice.randint(0, total - 1), dice.uniform(0, 0.2)
        run = start(*command, cwd=tmp_path, group=True)
        while run.poll() is None and len(list(kept.glob("??/[!.]*"))) < least:
            time.sleep(0.002)
        time.sleep(later)
        run.kill()  # nothing, where it has ended already
        run.wait()
        before = {entry.name.partition(".")[0] for entry in kept.glob("??/[!.]*")}
        made.clear()
        again = rendered(text, tmp_path, name="again")
        assert again.files[""].read_bytes() == wanted
        assert not before & set(made)
        assert len(before | set(made)) == total


def test_the_cache_is_shown_and_cleared(film: Film, tmp_path: Path, kept: Path) -> None:
    rendered(cut_of(film, PIECES[:2]), tmp_path)
    shown = json.loads(cinecut("cache", "--json", cwd=tmp_path).stdout)
    assert shown["render"]["files"] == len(list(kept.glob("??/*"))) > 0
    assert cinecut("cache", "--clear", "nothing", cwd=tmp_path).returncode == 1
    assert cinecut("cache", "--clear", "render", cwd=tmp_path).returncode == 0
    assert not kept.exists()
