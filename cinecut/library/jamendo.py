"""Free music for a vibe, fetched from Jamendo once and then kept.

    vibe's tags ─ ask the API ─► tracks ─ licences ─► offers ─ download ─ decode it all ─► music/VIBE/ID-TITLE.mp3

Songs in the cache (songs.py) are not fetched again. A trailer can also be cut without a song.

The API: https://developer.jamendo.com/v3.0/tracks. Its replies are foreign text: only digits and plain ASCII reach a
path, and only printable characters reach a terminal.
"""

from __future__ import annotations

import errno
import html
import io
import json
import os
import re
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import requests

from cinecut.diagnostics import Diagnostic, Stop
from cinecut.download import HEADERS, Progress, TooMuch, copy_bounded, sha256, silent, why
from cinecut.files import beside
from cinecut.library.songs import Credit, SongMatch, cached, place_of, unchanged, write_index
from cinecut.media.sound.samples import song_frames
from cinecut.vibes import Vibe

CLIENT_ID = "JAMENDO_CLIENT_ID"
HOST = "CINECUT_JAMENDO"
DEFAULT_HOST = "https://api.jamendo.com/v3.0"
SECONDS = (90, 420)  # shortest and longest song for a trailer
ANSWER_LIMIT = 4 << 20  # bytes
SONG_LIMIT = 60_000_000  # bytes
LONGEST_WAIT = 5  # seconds of pause that the host may ask for
TRIES = 3  # unusable songs after which no other is tried
_TRACKS = 100  # requested at once; the API returns at most 200
_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds after which a request fails: to connect, between two bytes, and for a whole reply."""

    connect: float = 10.0
    read: float = 30.0
    whole: float = 300.0


PATIENCE = Patience()


def try_fetch(
    vibe: Vibe, client_id: str | None, progress: Progress = silent, patience: Patience = PATIENCE
) -> tuple[SongMatch | None, list[Diagnostic]]:
    """Like `fetch`, but a failure becomes a warning, so that the trailer is cut without music."""
    try:
        song = fetch(vibe, client_id, progress, patience)
    except Stop as stop:
        reason = stop.diagnostics[0]
        return None, [Diagnostic("music", f"no music from Jamendo: {reason.message}", None, reason.hints)]
    return song, cautions(song)


def cautions(song: SongMatch) -> list[Diagnostic]:
    """Warnings about the song's licence that the user must know before showing the trailer."""
    if not song.credit.noncommercial:
        return []
    message = f"“{song.credit.title}” by {song.credit.artist} is {song.credit.licence}: not for commercial use"
    return [Diagnostic("music", message, None, (f"cinecut music replace {song.vibe} takes another song",))]


def fetch(
    vibe: Vibe,
    client_id: str | None,
    progress: Progress = silent,
    patience: Patience = PATIENCE,
    another: bool = False,
) -> SongMatch:
    """The song of a vibe: from the cache without any network, else from Jamendo.

    `another` fetches one that the vibe has not had yet; the previous ones stay in the cache.
    Raises Stop: `option` (no client id), `download`, `output`, `disk-full`.
    """
    if not another and (song := cached(vibe.name)):
        return song
    client_id = (client_id or os.environ.get(CLIENT_ID) or "").strip()
    if not client_id:
        hint = f"https://devportal.jamendo.com gives one for free: set {CLIENT_ID} or --jamendo-id to it"
        raise Stop("option", "Jamendo needs a client id, and none is set", hint)
    place = place_of(vibe.name)
    kept = unchanged(place)
    with _Host(client_id, progress, patience) as host:
        known = {song.track for song in kept}
        fresh = [offer for offer in host.offers(vibe) if offer.track not in known]
        if not fresh:
            raise Stop("download", f"Jamendo has no other song for {vibe.name}", "the one in use stays")
        try:
            place.mkdir(parents=True, exist_ok=True)
            song = host.first_usable(fresh, place)
            write_index(place, [*kept, song])
        except OSError as error:
            code = "disk-full" if error.errno == errno.ENOSPC else "output"
            raise Stop(code, f"the song cannot be written to {place}: {error.strerror or error}") from None
    return song


# What the host offers


@dataclass(frozen=True, slots=True)
class _Offer:
    """A track that may be downloaded and used with pictures. `seconds` is its stated length, 0 if it is not stated."""

    track: str
    download: str
    seconds: int
    tags: frozenset[str]
    credit: Credit


class _Host:
    """Jamendo. If the API's URL is https, every request is encrypted, also after a redirect."""

    def __init__(self, client_id: str, progress: Progress, patience: Patience) -> None:
        self.client_id, self.progress, self.patience = client_id, progress, patience
        self.url = (os.environ.get(HOST) or DEFAULT_HOST).rstrip("/")
        self.session = requests.Session()
        self.session.max_redirects = _REDIRECTS
        self.session.headers.update(HEADERS)
        if urlsplit(self.url).scheme == "https":
            del self.session.adapters["http://"]

    def __enter__(self) -> _Host:
        return self

    def __exit__(self, *reason: object) -> None:
        self.session.close()

    def offers(self, vibe: Vibe) -> list[_Offer]:
        """The usable tracks: those with most of the vibe's tags first, then by popularity. Raises Stop if none."""
        query = {
            "client_id": self.client_id,
            "format": "json",
            "limit": str(_TRACKS),
            "fuzzytags": " ".join(vibe.music),  # any of them; the space is sent as the + that the API expects
            "include": "musicinfo licenses",
            "type": "single albumtrack",
            "order": "popularity_total",
            "vocalinstrumental": "instrumental",  # a voice would sing over the dialogue
            "durationbetween": f"{SECONDS[0]}_{SECONDS[1]}",
            "ccnd": "false",
            "audiodlformat": "mp32",
        }
        answer = io.BytesIO()
        try:
            self._get(f"{self.url}/tracks/", query, answer, ANSWER_LIMIT, silent)
        except TooMuch as reason:
            raise Stop("download", f"Jamendo's answer {reason}", "try again later") from None
        except requests.RequestException as error:
            raise Stop("download", f"Jamendo cannot be asked: {why(error)}", "is there a network?") from None
        records = _results(answer.getvalue(), self.client_id)
        offers = [offer for record in records if (offer := _offer(record)) is not None]
        if not offers:
            what = "none that may be downloaded and cut to pictures" if records else "none"
            raise Stop("download", f"Jamendo was asked for songs tagged {', '.join(vibe.music)} and has {what}")
        wanted = set(vibe.music)
        return sorted(offers, key=lambda offer: -len(wanted & offer.tags))

    def first_usable(self, offers: list[_Offer], place: Path) -> SongMatch:
        reasons: list[str] = []
        for offer in offers[:TRIES]:
            try:
                return self._download(offer, place)
            except TooMuch as reason:
                reasons.append(f"“{offer.credit.title}” {reason}")
        raise Stop("download", "no song could be fetched: " + "; ".join(reasons), "try again later")

    def _download(self, offer: _Offer, place: Path) -> SongMatch:
        """One complete track, or no file at all."""
        name = "-".join(filter(None, [offer.track, _slug(offer.credit.title)])) + ".mp3"
        try:
            with beside(place / name) as part:
                with part.open("wb") as file:
                    self._get(offer.download, {}, file, SONG_LIMIT, self.progress)
                seconds, digest = _verify(part, offer.seconds), sha256(part)
            return SongMatch(place.name, offer.track, place / name, digest, seconds, offer.credit)
        except (requests.ConnectionError, requests.Timeout) as error:  # the next track lies on the same host
            raise Stop("download", f"Jamendo gives no song: {why(error)}", "is there a network?") from None
        except requests.RequestException as error:
            raise TooMuch(f"cannot be fetched ({why(error)})") from None

    def _get(self, url: str, query: dict[str, str], file: IO[bytes], most: int, progress: Progress) -> None:
        """Copy the content of `url` into `file`. Raises TooMuch if it is too long, too slow or cut short."""
        with self._response(url, query) as response:
            copy_bounded(response, file, most, self.patience.whole, progress)

    def _response(self, url: str, query: dict[str, str]) -> requests.Response:
        """The reply, its body still unread. If the host asks for a short pause, there is a second attempt."""
        timeouts = (self.patience.connect, self.patience.read)
        for last in (False, True):
            response = self.session.get(url, params=query, stream=True, timeout=timeouts)
            if response.status_code != requests.codes.too_many_requests:
                break
            response.close()
            pause = response.headers.get("Retry-After", "1")
            if last or not re.fullmatch(r"[0-9]{1,5}", pause) or int(pause) > LONGEST_WAIT:
                raise Stop("download", "Jamendo was asked too often (429)", "try again later")
            time.sleep(int(pause))
        if response.status_code != requests.codes.ok:
            response.close()
            raise TooMuch(f"came with status {response.status_code}")
        return response


def _results(answer: bytes, client_id: str) -> list[object]:
    """The tracks in a reply. Its error codes: https://developer.jamendo.com/v3.0/response-codes."""
    try:
        data = json.loads(answer)
        status, results = data["headers"], data["results"]
        code, message = int(status.get("code") or 0), status.get("error_message")
        failed = status.get("status") == "failed" or code != 0
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        hint = "is it a web page? does this network want a login?"
        raise Stop("download", "Jamendo's answer is not one of its API", hint) from None
    if failed:
        hints = {5: (f"is the client id right? {CLIENT_ID} or --jamendo-id gives it",), 6: ("try again later",)}
        reason = _printable(message).replace(client_id, "…") or "for no reason given"
        raise Stop("download", f"Jamendo refuses: {reason}", *hints.get(code, ()))
    return results if isinstance(results, list) else []


def _offer(record: object) -> _Offer | None:
    """The track of a record, or None if it may not be downloaded or must not be adapted."""
    if not isinstance(record, dict):
        return None
    track, download = str(record.get("id")), record.get("audiodownload")
    licence = _licence(record.get("license_ccurl"))
    allowed = record.get("audiodownload_allowed") in (True, "true")
    if licence is None or not allowed or not re.fullmatch(r"[0-9]{1,12}", track) or not isinstance(download, str):
        return None
    seconds = str(record.get("duration"))
    credit = Credit(
        title=_printable(record.get("name")) or f"track {track}",
        artist=_printable(record.get("artist_name")) or "an unnamed artist",
        licence=licence[0],
        licence_url=licence[1],
        url=f"https://www.jamendo.com/track/{track}",
        note=_note(licence[0]),
    )
    length = int(seconds) if re.fullmatch(r"[0-9]{1,5}", seconds) else 0
    return _Offer(track, download, length, frozenset(_tags(record.get("musicinfo"))), credit)


def _licence(url: object) -> tuple[str, str] | None:
    """Name and URL of a Creative Commons licence that allows adaptation, None for any other.

    The licences define music synchronised with moving pictures as adaptation, which "no derivatives" forbids.
    """
    match = re.fullmatch(
        r"https?://(?:www\.)?creativecommons\.org/(licenses|publicdomain)/([a-z-]{2,12})/([1-4]\.[0-9])(?:/.{0,40})?",
        url if isinstance(url, str) else "",
    )
    if match is None:
        return None
    shelf, kind, version = match.groups()
    if (shelf, kind) == ("publicdomain", "zero"):
        name = f"CC0 {version}"
    elif shelf == "licenses" and kind in ("by", "by-sa", "by-nc", "by-nc-sa"):
        name = f"CC {kind.upper()} {version}"
    else:
        return None
    return name, f"https://creativecommons.org/{shelf}/{kind}/{version}/"


def _note(licence: str) -> str:
    notes = {"-NC": "not for commercial use", "-SA": "a trailer with this song has to carry the same licence"}
    return "; ".join(note for sign, note in notes.items() if sign in licence)


def _tags(musicinfo: object) -> Iterator[str]:
    groups = musicinfo.get("tags") if isinstance(musicinfo, dict) else None
    for tags in groups.values() if isinstance(groups, dict) else ():
        yield from (tag.lower() for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else ()


def _printable(text: object) -> str:
    """One line of at most 120 characters, none of which controls a terminal or the direction of writing."""
    plain = html.unescape(text)[:1000] if isinstance(text, str) else ""  # the API sends names as HTML
    kept = "".join(" " if char.isspace() else char for char in plain if char.isspace() or char.isprintable())
    return " ".join(kept.split())[:120].strip()


def _slug(title: str) -> str:
    """A title as part of a file name: lower-case ASCII letters, digits and hyphens, at most 40."""
    ascii_only = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only)[:40].strip("-")


def _verify(part: Path, stated: int) -> Fraction:
    """The length of a song in seconds, with every frame decoded: the header alone cannot tell that the file is cut
    short."""
    try:
        seconds = sum((Fraction(frame.samples, frame.sample_rate) for frame in song_frames(part, [])), Fraction(0))
    except Stop:
        raise TooMuch("is no sound that can be played") from None
    if seconds < 1 or seconds < Fraction(19, 20) * stated - 2:
        raise TooMuch(f"is cut short: {float(seconds):.0f} of {stated} s")
    return seconds
