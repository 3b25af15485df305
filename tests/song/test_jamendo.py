"""Music from Jamendo: what may be used is fetched once and whole, whatever the host says, and nothing else is."""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from jamendo_host import Host, song

from cinecut.diagnostics import Stop
from cinecut.files import cache_folder
from cinecut.library import jamendo, songs
from cinecut.library.songs import SongMatch
from cinecut.vibes import load_vibe

HORROR = load_vibe("horror")
PATIENT = jamendo.Patience(connect=30, read=30, whole=60)  # also where the machine is busy
HASTE = jamendo.Patience(connect=30, read=0.3, whole=60)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Host]:
    host = Host()
    monkeypatch.setenv("CINECUT_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv(jamendo.HOST, host.url + "/v3.0")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv(jamendo.CLIENT_ID, raising=False)
    yield host
    host.close()


def fetch(another: bool = False) -> SongMatch:
    return jamendo.fetch(HORROR, "my-id", patience=PATIENT, another=another)


def warned(patience: jamendo.Patience = PATIENT) -> str:
    """The one warning of a fetch that found nothing; no file is left behind."""
    found, diagnostics = jamendo.try_fetch(HORROR, "my-id", patience=patience)
    assert found is None
    assert [(each.code, each.severity) for each in diagnostics] == [("music", "warning")]
    assert [path for path in cache_folder().rglob("*") if path.is_file()] == []
    assert "my-id" not in str(diagnostics)
    return diagnostics[0].message


def test_a_song_is_fetched_with_all_that_its_credit_needs(host: Host, tmp_path: Path) -> None:
    host.add("77", name="Night &amp; Fog", license_ccurl="http://creativecommons.org/licenses/by-sa/3.0/de/")
    seen: list[tuple[int, int]] = []
    found = jamendo.fetch(HORROR, "my-id", lambda _what, done, total: seen.append((done, total)))
    assert found.file == tmp_path / "music" / "horror" / "77-night-fog.mp3"
    assert found.file.read_bytes() == song()
    assert found.sha256 == hashlib.sha256(song()).hexdigest()
    assert 8 <= found.seconds < 8.2
    assert seen[-1] == (len(song()), len(song()))
    assert str(found.credit) == (
        "“Night & Fog” by Somebody (https://www.jamendo.com/track/77), CC BY-SA 3.0 "
        "(https://creativecommons.org/licenses/by-sa/3.0/); a trailer with this song has to carry the same licence"
    )
    assert jamendo.cautions(found) == []


def test_the_host_is_asked_for_what_a_trailer_of_this_vibe_can_use(host: Host) -> None:
    host.add("77")
    fetch()
    query = parse_qs(urlsplit(host.asked[0]).query)
    assert query["fuzzytags"] == [" ".join(HORROR.music)]
    assert "fuzzytags=dark+horror+tense+scary" in host.asked[0]
    assert (query["client_id"], query["order"], query["ccnd"]) == (["my-id"], ["popularity_total"], ["false"])
    assert (query["durationbetween"], query["include"]) == (["90_420"], ["musicinfo licenses"])
    assert host.asked[1:] == ["/song/77"]  # the client id goes to the API alone


def test_what_is_kept_is_never_asked_for_again(host: Host) -> None:
    host.add("77")
    first = fetch()
    host.asked.clear()
    assert fetch() == first
    assert jamendo.fetch(HORROR, None) == first  # not even a client id is needed
    assert host.asked == []
    host.add("78")
    jamendo.fetch(load_vibe("comedy"), "my-id")  # each vibe has its own
    assert len(host.asked) == 2


def test_a_file_that_changed_is_fetched_anew(host: Host) -> None:
    host.add("77")
    first = fetch()
    first.file.write_bytes(b"damaged")
    assert fetch() == first
    assert first.file.read_bytes() == song()
    (first.file.parent / "tracks.json").write_text('[{"track": 1}]', encoding="utf-8")
    assert fetch() == first


def test_songs_with_more_of_the_tags_come_first_then_the_more_popular(host: Host) -> None:
    host.add("1")
    host.add("2", musicinfo={"tags": {"genres": ["Horror"], "vartags": ["dark"]}})
    host.add("3", musicinfo={"tags": {"genres": ["horror"], "vartags": ["dark"]}})
    host.add("4", musicinfo={"tags": {"genres": ["horror"]}})
    order = [fetch(another=True).track for _ in range(4)]
    assert order == ["2", "3", "4", "1"]


def test_another_song_is_never_one_that_the_vibe_had(host: Host) -> None:
    host.add("1")
    host.add("2")
    first, second = fetch(), fetch(another=True)
    assert (first.track, second.track) == ("1", "2")
    assert fetch() == second
    assert first.file.is_file()  # a spec may name it
    assert songs.songs() == [first, second]
    with pytest.raises(Stop, match="no other song for horror"):
        fetch(another=True)
    assert fetch() == second


def test_clearing_deletes_the_songs_of_one_vibe_or_of_all(host: Host, tmp_path: Path) -> None:
    host.add("1")
    horror, drama = fetch(), jamendo.fetch(load_vibe("drama"), "my-id")
    (tmp_path / "analysis").mkdir()
    assert songs.clear("..") == []
    assert songs.clear("horror") == [horror]
    assert songs.songs() == [drama]
    assert songs.clear() == [drama]
    assert [path.name for path in sorted(tmp_path.rglob("*"))] == ["analysis", "music"]


@pytest.mark.parametrize("kind", ["by-nd/3.0/", "by-nc-nd/2.5/", "by-nd-nc/1.0/", "nc-sampling+/1.0/", "by/9.9x/"])
def test_a_song_that_may_not_be_cut_to_pictures_is_not_even_downloaded(host: Host, kind: str) -> None:
    host.add("77", license_ccurl=f"http://creativecommons.org/licenses/{kind}")
    assert "none that may be downloaded and cut to pictures" in warned()
    assert len(host.asked) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"audiodownload_allowed": False},
        {"license_ccurl": "http://artlibre.org/licence/lal"},
        {"license_ccurl": "http://example.org/creativecommons.org/licenses/by/3.0/"},
        {"license_ccurl": None},
        {"id": "../../77"},
        {"audiodownload": 77},
    ],
    ids=str,
)
def test_a_track_that_is_not_plainly_usable_is_passed_over(host: Host, change: dict[str, Any]) -> None:
    host.add("77", **change)
    host.tracks.append("no track")  # type: ignore[arg-type]
    host.add("78")
    assert fetch().track == "78"
    assert host.asked[1:] == ["/song/78"]


def test_non_commercial_is_said_every_time(host: Host) -> None:
    host.add("77", license_ccurl="https://creativecommons.org/licenses/by-nc-sa/4.0/")
    for _ in range(2):
        found, diagnostics = jamendo.try_fetch(HORROR, "my-id", patience=PATIENT)
        assert found is not None
        assert found.credit.licence == "CC BY-NC-SA 4.0"
        assert found.credit.note.startswith("not for commercial use; a trailer with this song")
        assert [(each.code, each.severity) for each in diagnostics] == [("music", "warning")]
        assert "not for commercial use" in diagnostics[0].message
        assert "cinecut music replace horror" in diagnostics[0].hints[0]


def test_no_right_needs_to_be_asked_for_what_is_in_the_public_domain(host: Host) -> None:
    host.add("77", license_ccurl="https://creativecommons.org/publicdomain/zero/1.0/")
    assert fetch().credit.licence == "CC0 1.0"


def test_without_a_client_id_nobody_is_asked(host: Host) -> None:
    found, diagnostics = jamendo.try_fetch(HORROR, " ")
    assert found is None
    assert "client id" in diagnostics[0].message
    assert jamendo.CLIENT_ID in diagnostics[0].hints[0]
    assert host.asked == []


def test_the_client_id_may_come_from_the_environment(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.add("77")
    monkeypatch.setenv(jamendo.CLIENT_ID, "another-id")
    assert jamendo.fetch(HORROR, None).track == "77"
    assert "client_id=another-id" in host.asked[0]


def test_a_host_that_asks_for_a_short_pause_gets_it(host: Host) -> None:
    host.add("77")
    host.statuses = [(429, {"Retry-After": "1"})]
    began = time.monotonic()
    assert fetch().track == "77"
    assert time.monotonic() - began >= 1
    assert len(host.asked) == 3


@pytest.mark.parametrize(
    ("statuses", "asked"),
    [
        ([(429, {"Retry-After": "0"})] * 2, 2),
        ([(429, {"Retry-After": "3600"})], 1),
        ([(429, {"Retry-After": "Fri, 20 Nov 2026 09:00:00 GMT"})], 1),
    ],
    ids=["twice", "an hour", "a date"],
)
def test_a_host_that_has_enough_is_left_alone(
    host: Host, statuses: list[tuple[int, dict[str, str]]], asked: int
) -> None:
    host.add("77")
    host.statuses = statuses
    assert "asked too often" in warned()
    assert len(host.asked) == asked


def _failed(code: object, message: str) -> bytes:
    return json.dumps({"headers": {"status": "failed", "code": code, "error_message": message}, "results": []}).encode()


EMPTY = b'{"headers": {"status": "success", "code": 0}, "results": []}'
REFUSED = "Your credential my-id is \x1b[31mnot\x1b[0m authorized."
ANSWERS = {
    "empty": (EMPTY, "tagged dark, horror, tense, scary and has none"),
    "no list": (b'{"headers": {"status": "success"}, "results": {"0": 1}}', "has none"),
    "html": (b"<!DOCTYPE html><title>Log in</title>", "not one of its API"),
    "nothing": (b"", "not one of its API"),
    "a list": (b"[]", "not one of its API"),
    "no code": (b'{"headers": {"code": {"0": 1}}, "results": []}', "not one of its API"),
    "deep": (b"[" * 100_000, "not one of its API"),
    "no text": (b"\xff\xfe", "not one of its API"),
    "refused": (_failed(5, REFUSED), "refuses: Your credential … is [31mnot[0m authorized."),
    "too often": (_failed("6", "Rate limit exceeded"), "refuses: Rate limit exceeded"),
    "mute": (_failed(1, ""), "for no reason given"),
    "endless": (b" " * (jamendo.ANSWER_LIMIT + 1), "has more than 4 MB"),
}


@pytest.mark.parametrize(("answer", "said"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_without_songs_is_one_warning(host: Host, answer: bytes, said: str) -> None:
    host.answer = answer
    assert said in warned()
    assert len(host.asked) == 1


def test_other_statuses_are_said(host: Host) -> None:
    host.statuses = [(503, {})]
    assert "came with status 503" in warned()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (lambda: b"<html><body>Please log in</body></html>" * 100, "is no sound that can be played"),
        (bytes, "is no sound that can be played"),
        (lambda: song()[: len(song()) // 2], "is cut short: 4 of 8 s"),
        (lambda: song(30)[:-100], ""),
    ],
    ids=["html", "nothing", "truncated", "whole"],
)
def test_what_is_no_whole_song_is_refused_and_the_next_is_tried(
    host: Host, tmp_path: Path, body: Callable[[], bytes], said: str
) -> None:
    host.add("1", body())
    if not said:
        assert fetch().track == "1"
        return
    assert said in warned()
    host.add("2")
    assert fetch().track == "2"
    assert sorted(path.name for path in (tmp_path / "music" / "horror").iterdir()) == ["2-song-2.mp3", "tracks.json"]


def test_a_connection_that_breaks_off_leaves_nothing(host: Host) -> None:
    host.add("77")
    host.cut = 5000
    assert "“Song 77” " in warned()


def test_where_no_song_can_be_reached_the_next_is_not_tried(host: Host) -> None:
    host.add("1", audiodownload="http://127.0.0.1:1/song/1")
    host.add("2")
    assert "Jamendo gives no song: it cannot be reached" in warned()
    assert len(host.asked) == 1


def test_only_some_songs_are_tried(host: Host) -> None:
    for track in range(10):
        host.add(str(track), b"<html>")
    assert "“Song 2” is no sound" in warned()
    assert len(host.asked) == 1 + jamendo.TRIES


def test_a_song_may_not_be_endless(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jamendo, "SONG_LIMIT", 3_000_000)
    host.add("77", bytes(3_000_001))
    assert "has more than 3 MB" in warned()


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "ftp://127.0.0.1/song", "song.mp3", "http://", "", "http://[/"]
)
def test_only_the_web_is_fetched_from(host: Host, address: str) -> None:
    host.add("77", audiodownload=address)
    assert "“Song 77” cannot be fetched" in warned()


def test_a_redirect_leads_to_the_web_too(host: Host) -> None:
    host.add("77")
    host.statuses = [(302, {"Location": "/v3.0/tracks/"}), (302, {"Location": "file:///etc/passwd"})]
    assert "cannot be asked: invalid schema" in warned()
    assert len(host.asked) == 2


def test_an_encrypted_api_leads_to_nothing_that_is_not(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(jamendo.HOST)
    with jamendo._Host("my-id", lambda *_: None, PATIENT) as real, pytest.raises(requests.exceptions.InvalidSchema):
        real._get(host.url + "/song/77", {}, io.BytesIO(), 1000, lambda *_: None)
    assert host.asked == []


def test_a_host_that_never_answers_is_given_up(host: Host) -> None:
    host.add("77")
    host.pause = 1.5
    assert "no answer in time" in warned(HASTE)


def test_a_song_that_trickles_in_is_given_up(host: Host) -> None:
    host.add("77", song(60))
    host.pause = 0.2
    slow = jamendo.Patience(connect=30, read=30, whole=0.8)
    found, diagnostics = jamendo.try_fetch(HORROR, "my-id", patience=slow)
    assert found is None
    assert "was not whole after 0.8 s" in diagnostics[0].message


def test_no_network_is_one_warning(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.close()
    assert "cannot be reached" in warned()
    monkeypatch.setenv(jamendo.HOST, "not a host")
    assert "Jamendo cannot be asked: invalid url" in warned()


def test_names_from_the_host_reach_no_terminal_and_no_path(host: Host, tmp_path: Path) -> None:
    hostile = "../../\x1b[2J\x07Ünter\u202e\ud800 &lt;b&gt;\n\t| rm -rf $HOME; " + "x" * 5000
    host.add("77", name=hostile, artist_name="\x1b]0;owned\x07", shareurl="javascript:alert(1)")
    found = fetch()
    assert found.file.parent == tmp_path / "music" / "horror"
    assert found.file.name == "77-2junter-b-rm-rf-home-" + "x" * 18 + ".mp3"
    assert found.credit.title.startswith("../../[2JÜnter <b> | rm -rf $HOME; xxx")
    assert len(found.credit.title) == 120
    assert found.credit.artist == "]0;owned"
    assert found.credit.url == "https://www.jamendo.com/track/77"
    assert str(found.credit).isprintable()
    assert songs.songs() == [found]


def test_a_folder_that_cannot_be_written_is_said(host: Host, tmp_path: Path) -> None:
    host.add("77")
    (tmp_path / "music").write_text("in the way", encoding="utf-8")
    found, diagnostics = jamendo.try_fetch(HORROR, "my-id", patience=PATIENT)
    assert found is None
    assert "the song cannot be written to" in diagnostics[0].message
