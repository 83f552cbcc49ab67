"""`spatialeval power`: how many questions it takes to see a difference. Never asks a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command(name="power")
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path), metavar="[RUN [RUN]]")
@click.option("--points", multiple=True, type=float, help="Difference to see. Repeatable.  [default: 1 to 10]")
@click.option("--score", type=click.FloatRange(0, 100), help="True score of the first, in percent.")
@click.option("--questions", type=click.IntRange(1), help="Also say what so many questions show.  [default: the runs']")
@click.option("--correlation", type=click.FloatRange(-1, 1), help="Of the two score lists.  [default: 0.5]")
@click.option("--differ", type=click.FloatRange(0, 100), help="Percent of questions on which the two differ, instead.")
@click.option("--group-size", type=click.FloatRange(1), help="Questions that share a picture.  [default: 1]")
@click.option("--icc", type=click.FloatRange(-1, 1), help="How alike scores of one group are.  [default: 0]")
@click.option("--icc-differences", type=click.FloatRange(-1, 1), help="The same of differences.  [default: as --icc]")
@click.option("--power", type=click.FloatRange(1, 99.9), default=80.0, show_default=True, help="Percent of times seen.")
@click.option("--level", type=click.FloatRange(0.01, 50), default=5.0, show_default=True, help="Percent by chance.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Also write everything here."
)
def command(runs: tuple[Path, ...], json_file: Path | None, **given: Any) -> None:
    """Say how many questions show a difference of so many points, paired and unpaired.

    From one finished RUN come score, groups and their correlation, from two also how often they differ; options replace
    what the runs say. Without a RUN give --score.
    """
    from spatialeval.api import power
    from spatialeval.run.files import write_json

    plan = power(*runs, **given)
    click.echo(str(plan), nl=False)
    if json_file:
        from spatialeval.report.power import as_json

        write_json(json_file, as_json(plan.plan))
