"""Tasks: YAML files that say where the data are, how a row becomes a Sample, and how it is asked and scored."""

from __future__ import annotations

from spatialeval.tasks.aggregate import Part
from spatialeval.tasks.catalogue import task_files, task_names
from spatialeval.tasks.protocol import TaskProtocol
from spatialeval.tasks.task import Task, load_task

__all__ = ["Part", "Task", "TaskProtocol", "load_task", "task_files", "task_names"]
