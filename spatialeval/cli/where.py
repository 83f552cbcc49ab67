"""The options that say where a run runs: which part of it here, and on how many workers. They change no answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spatialeval.run.prepare import RunSpec

C = TypeVar("C", bound="Callable[..., Any] | click.Command")

_SHARD = click.option(
    "--shard", metavar="I/N", help="Ask part I, from 1, of N only, on a machine of its own; `merge` joins the parts."
)
_RAY = (
    click.option(
        "--executor", type=click.Choice(["here", "ray"]), default="here", help="`ray` asks replicas over a Ray cluster."
    ),
    click.option("--workers", type=click.IntRange(1), help="Replicas of --executor ray.  [default: as many as fit]"),
    click.option("--ray-address", help="A running cluster, or `auto`.  [default: one on this machine, for this run]"),
    click.option("--ray-gpus", type=click.FloatRange(0), default=0, help="GPUs of each worker.  [default: 0]"),
    click.option("--ray-cpus", type=click.FloatRange(0), default=1, help="CPUs of each worker.  [default: 1]"),
)
NAMES = frozenset({"shard", "executor", "workers", "ray_address", "ray_gpus", "ray_cpus"})


def ray_options(command: C) -> C:
    """Give a command the options of --executor ray."""
    for option in reversed(_RAY):
        command = option(command)
    return command


def where_options(command: C) -> C:
    """Give a command --shard and the options of --executor ray."""
    return _SHARD(ray_options(command))


def placed(specs: Sequence[RunSpec], given: dict[str, Any]) -> list[RunSpec]:
    """Return the runs with what the options say; raise UsageError for a shard that does not exist."""
    from spatialeval.models.ray import RayOptions
    from spatialeval.run.shard import Shard

    shard = Shard.parse(given["shard"]) if given.get("shard") else None
    ray = None
    if given["executor"] == "ray":
        ray = RayOptions(given["ray_address"], given["workers"], given["ray_gpus"], given["ray_cpus"])
    elif given["workers"] or given["ray_address"] or given["ray_gpus"] or given["ray_cpus"] != 1:
        raise click.UsageError(
            "--workers, --ray-address, --ray-gpus and --ray-cpus belong to --executor ray; add that."
        )
    return [replace(spec, shard=shard, options=replace(spec.options, ray=ray)) for spec in specs]
