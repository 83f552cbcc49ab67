"""Fixtures shared by the tests: the folder of real rows, where it is present."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def realdata() -> Path:
    """The folder of real rows beside the repository; SPATIALEVAL_REALDATA names another place."""
    folder = Path(os.environ.get("SPATIALEVAL_REALDATA", REPOSITORY.parent / "shared" / "realdata"))
    if not folder.is_dir():
        pytest.skip(f"no real rows at {folder}: set SPATIALEVAL_REALDATA to their folder")
    return folder
