"""The `model-index` of a Hugging Face model card, written by huggingface_hub itself, so that the hub reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spatialeval.errors import SpatialEvalError, UsageError
from spatialeval.tasks import load_task
from spatialeval.text import printable

if TYPE_CHECKING:
    from spatialeval.report.html.board import Board, BoardRun

_SOURCE = "https://github.com/spatialeval/spatialeval"
_TASK = {"video": "video-text-to-text", "image": "image-text-to-text", "multi_image": "image-text-to-text"}
"""Modality -> task of the hub; the first that a benchmark has counts, and text alone is text-generation."""


def as_model_index(board: Board) -> str:
    """Return the YAML of a `model-index` with every complete run of a model, a metric each.

    The value is the score in percent; the interval, n and how the model was asked stand in the metric's `args`. Runs of
    baselines and incomplete runs are left out: a model card is no place for either.

    Raises:
        UsageError: when no run is left, or the runs are of several models: a card is of one.
    """
    import yaml  # noqa: PLC0415 - with huggingface_hub, only where a card is written
    from huggingface_hub.repocard_data import EvalResult, eval_results_to_model_index  # noqa: PLC0415

    runs = [run for run in board.runs if run.kind == "model" and run.complete and run.score is not None]
    models = sorted({run.model for run in runs})
    if len(models) != 1:
        raise UsageError(
            f"a model card is of one model, and these are complete runs of {', '.join(models)}: name one with --model."
            if models
            else "no run of a model is complete, and a model card has only such."
        )
    index = eval_results_to_model_index(printable(models[0]), [EvalResult(**_facts(board, run)) for run in runs])
    return yaml.safe_dump({"model-index": index}, sort_keys=False, allow_unicode=True, width=120)


def _facts(board: Board, run: BoardRun) -> dict[str, Any]:
    task = next(task for task in board.tasks if task.name == run.task)
    score = run.score
    if score is None:
        raise ValueError("a run without a score has no place in a model card")
    asked = ", ".join(printable(text) for text in (run.protocol, run.strategy, run.setting) if text)
    modality = next((_TASK[name] for name in ("video", "image", "multi_image") if name in task.modalities), None)
    return {
        "task_type": modality or "text-generation",
        "task_name": "spatial reasoning",
        "dataset_name": printable(f"{task.title} ({run.task})"),
        **_data(run.task),
        "metric_type": "score",
        "metric_name": printable(f"{run.headline or 'score'} in % ({asked})"),
        "metric_value": round(100 * score.mean, 2),
        "metric_args": {
            "protocol": printable(run.protocol),
            "strategy": printable(run.strategy),
            "interval_95": None if score.low is None or score.high is None else
            [round(100 * score.low, 2), round(100 * score.high, 2)],
            "n": score.n,
            "chance": None if run.chance is None else round(100 * run.chance, 2),
            "partial": run.partial,
            "scores_version": run.scores_version,
            "data_sha256": run.data,
            "spatialeval": board.version,
        },
        "source_name": "spatialeval",
        "source_url": _SOURCE,
    }  # fmt: skip


def _data(name: str) -> dict[str, Any]:
    """Return where the rows are on the hub, as far as the task file says; a variant stands in place of a config."""
    try:
        task = load_task(name)
    except SpatialEvalError:  # its file is not here any more
        return {"dataset_type": printable(name)}
    data = task.spec.data
    if not data.source.startswith("hf:"):
        return {"dataset_type": printable(name)}
    return {
        "dataset_type": data.source.removeprefix("hf:"),
        "dataset_config": task.variant or (data.config if isinstance(data.config, str) else None),
        "dataset_split": data.split,
        "dataset_revision": None if data.revision in {None, "floating"} else data.revision,
    }
