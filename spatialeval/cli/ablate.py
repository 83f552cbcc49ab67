"""`spatialeval ablate`: what each way of asking is worth."""

from __future__ import annotations

import sys
from contextlib import ExitStack
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
    from spatialeval.run.ablation import Ablation


@click.command(name="ablate")
@click.argument("model")
@click.option(
    "-s",
    "--strategies",
    multiple=True,
    required=True,
    help="plain,cot,... The first is what the others are compared with.",
)
@click.option("--own-caps", is_flag=True, help="Leave every arm its own token cap.")
@click.option("--own-readers", is_flag=True, help="Read every arm as its strategy says, not all alike.")
@shared_options
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("results/ablate"), show_default=True, help="Kept here."
)
def command(**given: Any) -> None:
    """Ask MODEL the same samples in several ways, and say what each way is worth.

    All arms have the same token cap and the same reader, so that a difference is one of asking. The same command
    resumes.
    """
    from spatialeval.report.ablation import as_json, print_ablation
    from spatialeval.report.table import make_console
    from spatialeval.run.ablation import ablate

    strategies = names_in(*given["strategies"])
    found: list[Ablation] = []
    with ExitStack() as displays:
        events = displays_of(displays, given["model"])
        for spec in specs_of(given):
            try:
                ablation = ablate(
                    spec,
                    strategies,
                    readers="own" if given["own_readers"] else "same",
                    caps="own" if given["own_caps"] else "same",
                    events=partial(events, spec),
                    agree=agreement(spec, yes=given["yes"]),
                )
            except interruption() as stopped:
                click.echo(str(stopped), err=True)
                sys.exit(stopped.exit_code)
            displays.close()  # its last line belongs above the table
            print_ablation(ablation, make_console())
            found.append(ablation)
    if given["json_file"]:
        write_file(given["json_file"], [as_json(ablation) for ablation in found])
    if given["plots"]:
        from spatialeval.report.plots import plot_ablations

        plot_ablations(found, given["plots"])
    if any(arm.effort.failed for ablation in found for arm in ablation.arms):
        sys.exit(INCOMPLETE)
