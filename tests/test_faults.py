"""The fault harness of benchmarks/, small: the command under kills, a full disk and faulty requests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def faults(monkeypatch):
    """The script as a module."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location("faults", BENCHMARKS / "faults.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "faults", module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_nothing_is_lost_doubled_or_wrong_whatever_is_killed_or_full(faults, tmp_path):
    plan = faults.Plan(samples=400, kills=3, server_kills=1, full=1, readonly=1, timeout=3.0, seed=3, mount=False)
    evaluation = faults.Evaluation(plan, tmp_path)
    try:
        report = evaluation.run()
    finally:
        evaluation.close()
    assert report.wrong == []
    assert report.events["kill"] >= 3
    assert report.events["full"] == report.events["read-only"] == report.events["server"] == 1
    assert report.in_flight > 0  # killed somewhere in the middle, or this test has shown nothing
    assert report.states["failed"] == sum(truth.state == "failed" for truth in evaluation.truth.values()) > 0
