"""`spatialeval view`: a report in the browser, from this machine alone."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path

import click


@click.command(name="view")
@click.argument("place", type=click.Path(path_type=Path), metavar="RESULTS|REPORT")
@click.option("--media", type=click.Path(path_type=Path, file_okay=False, exists=True), help="Folder of the pictures.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="[default: any that is free]")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def command(place: Path, media: Path | None, port: int, no_browser: bool) -> None:
    """Show a REPORT, or one made anew of the runs in RESULTS with all their answers, until Ctrl-C.

    Only this machine can open the address.
    """
    from spatialeval.report.html import write_report
    from spatialeval.report.html.serving import PAGE, open_server
    from spatialeval.text import printable

    with tempfile.TemporaryDirectory(prefix="spatialeval-view-") as scratch:
        made = (place / PAGE).is_file()
        if made and media:
            raise click.UsageError("--media is for RESULTS; a REPORT that is written already has its pictures.")
        folder = place if made else Path(scratch)
        if not made:
            board = write_report([place], folder, samples=True, media=media)
            for text in board.left_out:
                click.echo(f"Left out: {printable(text)}", err=True)
        server, address = open_server(folder, port)
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the scratch folder goes, too
        with server:
            click.echo(f"{address} (Ctrl-C ends it)")
            if not no_browser:
                click.launch(address)
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                click.echo("Ended.", err=True)
