"""`spatialeval view`: a report on the loopback interface, and nothing else of this machine."""

from __future__ import annotations

import http.client
import signal
import subprocess
import sys
import threading

import pytest
from command import refused, spatialeval
from run_letters import TASK, write_rows

from spatialeval.errors import UsageError
from spatialeval.report.html.serving import open_server


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("viewed")
    (folder / "letters.yaml").write_text(TASK)
    row = {"target": "A", "choices": ["w", "x", "y", "z"], "category": "a"}
    write_rows(folder / "rows.jsonl", [{"id": f"r{i}", **row} for i in range(4)])
    write_rows(folder / "one.jsonl", [{"id": f"r{i}", "reply": "A"} for i in range(4)])
    spatialeval(
        "score", folder / "letters.yaml", folder / "one.jsonl", "--data", folder / "rows.jsonl",
        "--out", folder / "results" / "one",
    )  # fmt: skip
    return folder / "results"


@pytest.fixture
def report(tmp_path):
    """A folder with the files of a report, and others that are none of its own."""
    (tmp_path / "report" / "report-samples").mkdir(parents=True)
    (tmp_path / "report" / "report.html").write_text("the page")
    (tmp_path / "report" / "report-samples" / "samples-0-0.js").write_text("a piece")
    (tmp_path / "report" / "key.txt").write_text("secret")
    (tmp_path / "secret.html").write_text("secret")
    (tmp_path / "report" / "leaderboard.md").symlink_to(tmp_path / "secret.html")
    return tmp_path / "report"


@pytest.fixture
def ask(report):
    """Ask the server of the report for a path, as a browser or as somebody else does."""
    server, address = open_server(report)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    port = int(address.rstrip("/").rpartition(":")[2])

    def asked(path, method="GET", host=None):
        with server_connection(port) as connection:
            connection.putrequest(method, path, skip_host=True)
            connection.putheader("Host", host or f"127.0.0.1:{port}")
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), dict(answer.getheaders())

    assert server.server_address[0] == "127.0.0.1"
    yield asked
    server.shutdown()
    thread.join()
    server.server_close()


class server_connection(http.client.HTTPConnection):  # noqa: N801 - used as a block
    def __init__(self, port):
        super().__init__("127.0.0.1", port, timeout=10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def test_the_page_and_its_pieces_are_served_with_safe_headers(ask):
    status, text, headers = ask("/")
    assert (status, text) == (200, "the page")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "Python" not in headers["Server"]
    assert ask("/report-samples/samples-0-0.js")[:2] == (200, "a piece")
    assert ask("/report.html", "HEAD")[:2] == (200, "")


@pytest.mark.parametrize(
    "path",
    [
        "/key.txt", "/../secret.html", "/%2e%2e/secret.html", "/report-samples/../key.txt", "//etc/passwd",
        "/leaderboard.md", "/report-samples/", "/report.html/", "/report.html?x", "/report-samples/samples-0-1.js",
        "key.txt",
    ],
)  # fmt: skip
def test_nothing_else_is_served(ask, path):
    status, text, _ = ask(path)
    assert status == 404
    assert "secret" not in text


def test_another_sites_name_for_this_machine_is_refused(ask):
    assert ask("/", host="attacker.example")[0] == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_only_reading_is_possible(ask, method):
    assert ask("/", method)[0] == 501


def test_a_folder_without_runs_or_report_and_a_taken_port_are_refused(tmp_path, report):
    assert "No run with results" in refused("view", tmp_path, "--no-browser")
    server, address = open_server(report)
    with server, pytest.raises(UsageError, match="cannot be opened"):
        open_server(report, int(address.rstrip("/").rpartition(":")[2]))


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_results_are_made_into_a_report_and_served_until_stopped(results, stop):
    start = "from spatialeval.cli.main import main; main()"
    command = [sys.executable, "-c", start, "view", results, "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        address = process.stdout.readline().split()[0]
        with server_connection(int(address.rstrip("/").rpartition(":")[2])) as connection:
            connection.request("GET", "/")
            page = connection.getresponse().read().decode()
        process.send_signal(stop)
        assert process.wait(20) == 0, process.stderr.read()
    assert "samples-index" in page
    assert "one.jsonl" in page
