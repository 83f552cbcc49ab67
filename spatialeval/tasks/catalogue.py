"""Where task files are: the shipped folder, or any path. Listing is cheap: it reads YAML and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

from spatialeval.errors import UnknownNameError, UsageError
from spatialeval.templates import shipped


def task_folders() -> list[Path]:
    """Return the folders searched for task files: those of SPATIALEVAL_TASKS first, then the shipped one."""
    own = [Path(part) for part in os.environ.get("SPATIALEVAL_TASKS", "").split(os.pathsep) if part]
    return [*own, shipped("tasks")]


def task_files() -> dict[str, Path]:
    """Return task id -> file for every task that can be named; an own folder's file hides a shipped one."""
    files: dict[str, Path] = {}
    for folder in task_folders():
        for file in sorted(folder.glob("*.yaml")):
            files.setdefault(file.stem, file)
    return dict(sorted(files.items()))


def task_names() -> list[str]:
    """Return the ids of all tasks that can be named."""
    return list(task_files())


def is_file_name(name: str) -> bool:
    """Tell whether a task's name is the path of a task file."""
    return name.endswith((".yaml", ".yml"))


def find_task(name: str) -> Path:
    """Return the file of task `name`: an id, or the path of a .yaml file.

    Raises:
        UnknownNameError: when no task has that id.
        UsageError: when the path does not exist.
    """
    if is_file_name(name):
        path = Path(name)
        if not path.is_file():
            raise UsageError(f"there is no task file {name}; `spatialeval tasks list` shows the shipped ones.")
        return path
    files = task_files()
    if name not in files:
        raise UnknownNameError("task", name, files, "`spatialeval tasks list` shows all.")
    return files[name]
