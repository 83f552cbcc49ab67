"""Copy a run's last stage into the package and its early stage beside the scripts, in the weight names servers read."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from model import save
from transformers import AutoProcessor, LlavaForConditionalGeneration

HERE = Path(__file__).parent
SHIPPED = HERE.parents[1] / "spatialeval" / "embedded" / "tiny"
EARLY = HERE / "early"


def ship(stage: Path, folder: Path, dtype: torch.dtype) -> None:
    """One stage's checkpoint to its place in the repository."""
    model = LlavaForConditionalGeneration.from_pretrained(stage, dtype=torch.float32)
    save(model, AutoProcessor.from_pretrained(stage), folder, dtype)
    print(folder, f"{sum(file.stat().st_size for file in folder.iterdir()) / 1e6:.1f} MB")


def main() -> None:
    """Ship both checkpoints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="the --out folder of train.py")
    parser.add_argument("--last", default="vary", help="the stage to ship as the embedded model")
    options = parser.parse_args()
    ship(options.run / options.last, SHIPPED, torch.float32)
    ship(options.run / "early", EARLY, torch.float16)  # half the size; loads as float32 all the same


if __name__ == "__main__":
    main()
