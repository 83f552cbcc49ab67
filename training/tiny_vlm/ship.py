"""Copy checkpoints to their places in the repository, in the weight names servers read.

python training/tiny_vlm/ship.py --run runs/tiny                                       # early and pretrained
python training/tiny_vlm/ship.py --tuned results/training/embedded/seed-0/grpo/final   # the model in the package
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from model import save
from transformers import AutoProcessor, LlavaForConditionalGeneration

HERE = Path(__file__).parent
SHIPPED = HERE.parents[1] / "spatialeval" / "embedded" / "tiny"


def ship(stage: Path, folder: Path, dtype: torch.dtype) -> None:
    """One stage's checkpoint to its place in the repository."""
    model = LlavaForConditionalGeneration.from_pretrained(stage, dtype=torch.float32)
    save(model, AutoProcessor.from_pretrained(stage), folder, dtype)
    print(folder, f"{sum(file.stat().st_size for file in folder.iterdir()) / 1e6:.1f} MB")


def main() -> None:
    """Ship what is given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, help="the --out folder of train.py")
    parser.add_argument("--last", default="vary", help="the stage of it that is the base of the recipe")
    parser.add_argument("--tuned", type=Path, help="what the recipe `embedded` made")
    options = parser.parse_args()
    if options.run:
        # Half the size, and loaded as float32 all the same.
        ship(options.run / options.last, HERE / "pretrained", torch.float16)
        ship(options.run / "early", HERE / "early", torch.float16)
    if options.tuned:
        ship(options.tuned, SHIPPED, torch.float32)


if __name__ == "__main__":
    main()
