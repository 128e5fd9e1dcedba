"""`holdfast view`: serve a report to this machine's browser, made again when its runs have grown."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any

from holdfast.errors import UserError
from holdfast.harness.actions.reporting import make_report
from holdfast.harness.results.report.rendering import rendered, waiting_page
from holdfast.harness.store.manifest import FILE, not_a_run, read_manifest
from holdfast.harness.store.records import SAMPLES

HOST = "127.0.0.1"
PORT = 8765
STATE = "/state"
"""The path that answers with the state of the runs, by which the page notices that they have grown."""


@dataclass(slots=True)
class LivePage:
    """The page of runs that may still be going on, rendered when it is asked for and they have grown.

    Attributes:
        runs: Their directories.
        settings: See `make_report`.
        rest: How many times as long as it took to render the page nothing new is announced, so that following a large
            run leaves the machine to it.
    """

    runs: Sequence[Path]
    settings: Mapping[str, Any]
    rest: float = 4.0
    _announced_from: float = 0.0
    _files: list[Path] = field(init=False)
    _state: str = ""
    _page: str = ""
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        # absolute, since aligning segments changes the working directory for a while
        self._files = [(run / name).absolute() for run in self.runs for name in (SAMPLES, FILE)]

    def state(self) -> str:
        """Return what changes when a run has grown: sizes and times of its files."""
        stats = [path.stat() for path in self._files if path.exists()]
        return ".".join(f"{each.st_size:x}-{each.st_mtime_ns:x}" for each in stats) or "none"

    def news(self) -> str:
        """Return the state of the page that was rendered last or, after a rest, of the runs as they are."""
        return self._state if monotonic() < self._announced_from else self.state()

    def page(self) -> str:
        """Return the page; while nothing can be shown yet, one that says why."""
        with self._lock:
            state, start = self.state(), monotonic()
            if state != self._state:
                try:
                    self._page = rendered(make_report(self.runs, **self.settings), following=state)
                except UserError as error:
                    self._page = waiting_page(str(error), following=state)
                except Exception as error:  # whatever went wrong, the open tab goes on following
                    said = f"{type(error).__name__}: {error}".splitlines()[0]
                    self._page = waiting_page(f"The report can't be made: {said}", following=state)
                self._state = state
                self._announced_from = monotonic() + self.rest * (monotonic() - start)
            return self._page


def view(runs: Sequence[Path], *, port: int = PORT, started: Callable[[str], None] = print, **settings: Any) -> None:
    """Serve a report on the loopback interface until interrupted.

    Args:
        runs: Directories written by `holdfast run`, finished or not.
        port: The port; 0 takes a free one.
        started: Called with the address once it is served.
        settings: See `make_report`.

    Raises:
        UserError: If a directory has no run, or the port can't be used.
    """
    for run in runs:
        if read_manifest(run) is None:
            raise not_a_run(run)
    with serve(LivePage(runs, settings), port) as server:
        started(f"http://{HOST}:{server.server_port}/")
        server.serve_forever()


def serve(page: LivePage, port: int) -> ThreadingHTTPServer:
    """Return a server of the page, listening on the loopback interface.

    Raises:
        UserError: If the port can't be used.
    """
    handler = type("Handler", (_Handler,), {"live": page})
    try:
        return ThreadingHTTPServer((HOST, port), handler)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"can't serve on port {port}: {reason}; choose another --port, or 0 for a free one") from None


class _Handler(BaseHTTPRequestHandler):
    """Answers GET for the page and its state, to this machine only."""

    live: LivePage
    server: ThreadingHTTPServer

    def do_GET(self) -> None:
        """Answer a request."""
        hosts = {f"{name}:{self.server.server_port}" for name in (HOST, "localhost")}
        if self.headers.get("Host") not in hosts:  # another site's name may have been pointed at this machine
            self.send_error(403)
        elif self.path == "/":
            self._answer(self.live.page(), "text/html")
        elif self.path == STATE:
            self._answer(self.live.news(), "text/plain")
        else:
            self.send_error(404)

    def _answer(self, text: str, kind: str) -> None:
        content = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        with suppress(ConnectionError):  # the reader may be gone
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of requests."""
