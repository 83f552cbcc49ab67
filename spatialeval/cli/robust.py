"""`spatialeval robust`: how much of a score survives changed pictures, wordings and orders."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spatialeval.cli.comparing import (
    agreement,
    displays_of,
    interruption,
    names_in,
    shared_options,
    specs_of,
    write_file,
)
from spatialeval.cli.main import INCOMPLETE

if TYPE_CHECKING:
    from spatialeval.run.robustness import Robustness


@click.command(name="robust")
@click.argument("model")
@click.option("-s", "--strategy", default="plain", show_default=True, help="How to ask; without views.")
@click.option("--transforms", help="mirror,polarity,...  [default: all that apply]")
@shared_options
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("results/robust"), show_default=True, help="Kept here."
)
def command(**given: Any) -> None:
    """Ask MODEL the same samples unchanged and under every transform that their task allows, and compare.

    A transform changes picture, words or order so that the right answer is known. The same command resumes.
    """
    from spatialeval.report.robustness import as_json, print_robustness
    from spatialeval.report.table import make_console
    from spatialeval.run.robustness import robust

    names = names_in(given["transforms"] or "") or None
    found: list[Robustness] = []
    with ExitStack() as displays:
        events = displays_of(displays, given["model"])
        for spec in specs_of(given):
            asked = replace(spec, strategy=given["strategy"])
            try:
                agree = agreement(asked, yes=given["yes"])
                found.append(robust(asked, names, events=partial(events, asked), agree=agree))
            except interruption() as stopped:
                click.echo(str(stopped), err=True)
                sys.exit(stopped.exit_code)
            displays.close()  # its last line belongs above the table
            print_robustness(found[-1], make_console())
    if given["json_file"]:
        write_file(given["json_file"], [as_json(each) for each in found])
    if given["plots"]:
        from spatialeval.report.plots import plot_robustness

        plot_robustness(found, given["plots"])
    if any(each.plain.effort.failed or any(row.failed for row in each.rows) for each in found):
        sys.exit(INCOMPLETE)
