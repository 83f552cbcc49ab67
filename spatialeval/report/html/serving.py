"""A report in a browser: its files alone, on this machine alone."""

from __future__ import annotations

import re
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

from spatialeval.errors import UsageError
from spatialeval.report.html.browse import BESIDE

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "report.html"
_ADDRESS = "127.0.0.1"
_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "md": "text/plain; charset=utf-8",
}
_SERVED = re.compile(rf"/(report\.html|leaderboard\.(?:json|csv|md)|{BESIDE}/samples-\d+-\d+\.js)")
"""All addresses that there are: what `spatialeval report` writes."""
_HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'",  # the page has its own policy, which this one only adds to
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD for the files of one report."""

    folder: ClassVar[Path]
    timeout = 30
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Send a file."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Send a file's headers."""
        self._answer(body=False)

    def version_string(self) -> str:
        """Say nothing about versions."""
        return "spatialeval"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        """Keep quiet: a request's path is no text for a terminal."""

    def _answer(self, *, body: bool) -> None:
        status, kind, data = self._found()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(data)

    def _found(self) -> tuple[HTTPStatus, str, bytes]:
        port = self.connection.getsockname()[1]
        # Another site's name that points here (DNS rebinding) is not ours.
        if self.headers.get("Host") not in {f"{_ADDRESS}:{port}", f"localhost:{port}"}:
            return HTTPStatus.FORBIDDEN, _TYPES["md"], b"This report is served as 127.0.0.1 alone.\n"
        wanted = _SERVED.fullmatch(f"/{PAGE}" if self.path == "/" else self.path)
        path = self.folder / wanted[1] if wanted else None
        if path is None or not path.resolve().is_relative_to(self.folder.resolve()) or not path.is_file():
            return HTTPStatus.NOT_FOUND, _TYPES["md"], b"There is no such file in the report.\n"
        return HTTPStatus.OK, _TYPES[path.suffix[1:]], path.read_bytes()


def open_server(folder: Path, port: int = 0) -> tuple[ThreadingHTTPServer, str]:
    """Return a server of the report in `folder`, which `serve_forever` starts, and the address of the page.

    Args:
        folder: that `write_report` wrote.
        port: on the loopback interface; 0 takes any that is free.

    Raises:
        UsageError: when there is no report, or the port is taken.
    """
    if not (folder / PAGE).is_file():
        raise UsageError(f"There is no {PAGE} in {folder}; `spatialeval report` writes it.")
    handler = type("Handler", (_Handler,), {"folder": folder})
    try:
        server = ThreadingHTTPServer((_ADDRESS, port), handler)
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"Port {port} cannot be opened ({error}). Leave --port out to take any that is free."
        ) from error
    server.daemon_threads = True
    return server, f"http://{_ADDRESS}:{server.server_address[1]}/"
