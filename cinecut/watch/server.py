"""The page's web server, for this machine only. Its address holds a secret; requests without it are refused."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import socket
import threading
from collections.abc import AsyncIterator, Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send
from watchfiles import awatch

from cinecut.diagnostics import Stop
from cinecut.ffmpeg.builds import FFmpeg
from cinecut.files import json_of, real_path, temporary_folder
from cinecut.language.facts import FilmFacts
from cinecut.watch.session import Session

if TYPE_CHECKING:
    from cinecut.watch.pictures import FilmStills

_PAGE = Path(__file__).with_name("page")
_PARTS = ("player.js", "timeline.js", "event.js", "watch.js", "watch.css")
_FILES = {"": "index.html", **{name: name for name in _PARTS}}
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; img-src 'self' data:; "
_POLICY += "; ".join(f"{kind}-src 'self'" for kind in ("script", "style", "media", "connect"))
_LARGEST = 100_000  # bytes of a request
_ALIVE = 15  # seconds after which a silent page gets a sign of life


def serve(spec: Path, ffmpeg: FFmpeg, port: int, ready: Callable[[str], None]) -> None:
    """Watch a spec until the process is interrupted. `ready` is called with the page's address. Raises Stop if the port
    is taken."""
    with temporary_folder("cinecut-watch-") as folder, _listening(port) as listening:
        taken = listening.getsockname()[1]
        page = _Page(spec, folder, ffmpeg, taken)
        config = uvicorn.Config(
            page.app, log_config=None, lifespan="on", timeout_graceful_shutdown=1, server_header=False, ws="none"
        )
        server = uvicorn.Server(config)  # in a thread of its own it leaves signals to the command line
        page.started = lambda: ready(page.address)
        stopped = threading.Event()

        def run() -> None:
            try:
                server.run(sockets=[listening])
            finally:
                stopped.set()
                page.session.end()

        threading.Thread(target=run, name="server").start()
        try:
            page.session.run()  # here, where Ctrl-C arrives and ends an FFmpeg that is at work
        finally:
            page.end()
            server.should_exit = True
            stopped.wait()


@contextlib.contextmanager
def _listening(port: int) -> Any:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
        except OSError as error:
            hint = "--port 0 takes any that is free"
            raise Stop("option", f"port {port} cannot be used: {error.strerror}", hint) from None
        listening.listen(16)
        yield listening


class _Guard:
    """Refuses requests that name another host than this machine (a rebound domain) or come from another site's page."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self.app = app
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope)
            origin = request.headers.get("origin")
            known = request.headers.get("host", "") in self.hosts
            own = origin is None or origin in {f"http://{host}" for host in self.hosts}
            if not known or not own or (request.method == "POST" and origin is None):
                await Response("not from here", 403)(scope, receive, send)
                return
        await self.app(scope, receive, send)


class _Page:
    def __init__(self, spec: Path, folder: Path, ffmpeg: FFmpeg, port: int) -> None:
        self.folder, self.token = folder, secrets.token_urlsafe(24)
        self.address = f"http://127.0.0.1:{port}/{self.token}/"
        self.session = Session(spec, folder, ffmpeg, self._changed)
        self.started: Callable[[], None] = lambda: None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = asyncio.Event()
        self._pictures: dict[tuple[Path, FilmFacts], FilmStills] = {}  # of the films that the page has asked for
        self._opening = threading.Lock()
        self._ended = False
        routes = [
            Route("/state", self._state),
            Route("/changes", self._changes),
            Route("/edit", self._edit, methods=["POST"]),
            Route("/draft/{name}", self._draft),
            Route("/still/{name}.jpg", self._still),
            Route("/draft/{name}/outline", self._outline),
            Route("/film/{film:int}/{frame:int}.jpg", self._film),
            Route("/{name:path}", self._file),
        ]
        self.app = Starlette(
            routes=[Mount(f"/{self.token}", routes=routes)],
            middleware=[Middleware(_Guard, port=port)],
            lifespan=self._lifespan,
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        self._loop = asyncio.get_running_loop()
        watching = asyncio.create_task(self._watch())
        self.started()
        try:
            yield
        finally:
            watching.cancel()
            for pictures in self._pictures.values():
                pictures.close()

    async def _watch(self) -> None:
        """Wake the session when the spec, or a file that it names, changes. Editors write beside and rename, so folders
        are watched."""
        while True:
            files = self._watched()
            folders = {file.parent for file in files if file.parent.is_dir()}

            def ours(change: Any, path: str, files: set[Path] = files) -> bool:
                return real_path(Path(path)) in files

            # The media are known once the spec has been read, so now and then it is looked whether they are others.
            looks = awatch(
                *folders,
                watch_filter=ours,
                recursive=False,
                debounce=60,
                step=20,
                rust_timeout=500,
                yield_on_timeout=True,
            )
            async for changes in looks:
                if changes:
                    self.session.touch()
                if files != self._watched():
                    break

    def _watched(self) -> set[Path]:
        return {real_path(file) for file in (self.session.spec, *self.session.media)}

    def end(self) -> None:
        """Close open connections; may be called from any thread."""
        self._ended = True
        self._changed()

    def _changed(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._announce)

    def _announce(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    # What the page asks for

    async def _file(self, request: Request) -> Response:
        name = _FILES.get(request.path_params["name"])
        if name is None:
            return Response(status_code=404)
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        data = (_PAGE / name).read_bytes()
        return Response(data, media_type=_TYPES[Path(name).suffix], headers=headers)

    async def _state(self, request: Request) -> Response:
        return JSONResponse(self.session.as_json())

    async def _changes(self, request: Request) -> Response:
        async def stream() -> AsyncIterator[str]:
            while not self._ended:
                news = self._news
                yield f"data: {json.dumps(self.session.as_json())}\n\n"
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), _ALIVE)

        return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    async def _edit(self, request: Request) -> Response:
        """An action, or `undo` and `redo`, on the revision that the page shows."""
        try:
            wanted = json_of(await _body(request))
            revision = wanted.pop("revision", None) if isinstance(wanted, dict) else None
            if not isinstance(revision, str):
                return JSONResponse({"error": "no action"}, 400)
            do = {"undo": self.session.undo, "redo": self.session.redo}.get(str(wanted.get("do")))
            if do is not None:
                await run_in_threadpool(do, revision)
            else:
                await run_in_threadpool(self.session.edit, wanted, revision)
        except ValueError:
            return JSONResponse({"error": "no action"}, 400)
        except Stop as stop:
            return JSONResponse({"error": "; ".join(item.message for item in stop.diagnostics)}, 409)
        return JSONResponse(self.session.as_json())

    def _drafted(self, name: str) -> Path | None:
        """The draft with this name, only if the session rendered it."""
        file = self.folder / Path(name).name
        return file if file.name.startswith("draft-") and file.is_file() else None

    async def _draft(self, request: Request) -> Response:
        file = self._drafted(request.path_params["name"])
        return FileResponse(file, media_type="video/mp4") if file else Response(status_code=404)

    async def _still(self, request: Request) -> Response:
        from cinecut.watch.pictures import draft_jpeg

        job = self.session.job
        draft, frame = self.session.stills.get(request.path_params["name"], ("", 0))
        file = self._drafted(draft)
        if file is None or job is None:
            return Response(status_code=404)
        with contextlib.suppress(Stop):  # a draft that was replaced meanwhile
            return _jpeg(await run_in_threadpool(draft_jpeg, file, frame, job.plan.rate))
        return Response(status_code=404)

    async def _outline(self, request: Request) -> Response:
        from cinecut.watch.pictures import outline

        file = self._drafted(request.path_params["name"])
        return JSONResponse(await run_in_threadpool(outline, file)) if file else Response(status_code=404)

    async def _film(self, request: Request) -> Response:
        wanted = request.path_params["film"], request.path_params["frame"]
        with contextlib.suppress(Stop):  # a film that is being replaced
            return _jpeg(await run_in_threadpool(self._film_jpeg, *wanted))
        return Response(status_code=404)

    def _film_jpeg(self, number: int, frame: int) -> bytes | None:
        """A picture of a film that the trailer's description lists."""
        from cinecut.watch.pictures import FilmStills

        job = self.session.job
        if job is None or number >= len(job.films):
            return None
        name, file = list(job.films.items())[number]
        facts = job.plan.layout.trailer.footage[name].facts
        if Fraction(frame) / facts.rate >= facts.duration:
            return None
        with self._opening:  # several pictures are asked for at a time; a film that was replaced has other facts
            pictures = self._pictures.get((file, facts)) or FilmStills(file, facts)
            self._pictures[file, facts] = pictures
        return pictures.jpeg(frame)


async def _body(request: Request) -> bytes:
    """A request's body; of one that is too large the rest is read and dropped, and it is empty."""
    body = b""
    async for part in request.stream():
        body = body + part if len(body) <= _LARGEST else body
    return body if len(body) <= _LARGEST else b""


def _jpeg(data: bytes | None) -> Response:
    if data is None:
        return Response(status_code=404)
    return Response(data, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})
