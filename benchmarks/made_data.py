"""Makes the benchmarks that are measured with: pictures in a parquet file, as on the Hub, or text alone.

python benchmarks/made_data.py FOLDER --rows 2000            # FOLDER/rows.parquet, FOLDER/task.yaml
python benchmarks/made_data.py FOLDER --rows 100000 --text   # FOLDER/rows.jsonl, FOLDER/task.yaml
"""

from __future__ import annotations

import argparse
import io
import json
import random
from pathlib import Path

PICTURE_BYTES = 24_000
ROW_GROUP = 100
"""Rows of a row group; the Hub writes 100 where rows hold pictures."""

TASK = """\
spec: 1
id: {name}
about: {{title: Made for measuring, license: Apache-2.0, year: 2026, modalities: [{modality}], abilities: [relation]}}
data: {{source: local, files: [{file}]}}
sample:
  id: "{{{{ row.id }}}}"
  category: "{{{{ row.category }}}}"
  answer: choice
  question: "{{{{ row.question }}}}"
  choices: "{{{{ row.choices }}}}"
  target: "{{{{ row.answer }}}}"
{images}  facets: {{difficulty: "{{{{ row.difficulty }}}}"}}
protocols:
  official:
    source: made for measuring
    question: |
      {{{{ question }}}}
      Options:
      {{% for option in options %}}{{{{ option.letter }}}}. {{{{ option.text }}}}
      {{% endfor %}}
    instruction: "Answer with the letter of the right option."
    generate: {{max_tokens: 16, temperature: 0.0}}
"""


def rows(count: int) -> list[dict[str, object]]:
    """Return the texts of the rows."""
    dice = random.Random(1)
    things = ("chair", "table", "lamp", "sofa", "shelf", "plant", "door", "window")
    made = []
    for index in range(count):
        one, other, *rest = dice.sample(things, 4)
        made.append(
            {
                "id": f"q{index:06}",
                "category": f"kind {index % 8}",
                "difficulty": ("easy", "hard")[index % 2],
                "question": f"Seen from the {other} in room {index}, on which side of the {rest[0]} is the {one}?",
                "choices": ["left", "right", "in front", "behind"],
                "answer": "ABCD"[dice.randrange(4)],
            }
        )
    return made


def pictures(count: int) -> list[bytes]:
    """Return JPEGs of about 24 KB, no two alike: some scenes of noise, each copy with a comment of its own."""
    import numpy as np
    from PIL import Image

    noise = np.random.default_rng(1)
    base = []
    for _ in range(16):
        coarse = Image.fromarray(noise.integers(0, 256, (150, 200, 3), dtype=np.uint8))
        out = io.BytesIO()
        coarse.resize((400, 300), Image.Resampling.BICUBIC).save(out, "JPEG", quality=22)
        base.append(out.getvalue())
    made = []
    for index in range(count):
        data = base[index % len(base)]
        comment = f"picture {index}".encode().ljust(max(32, PICTURE_BYTES - len(data) - 4))
        made.append(data[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + data[2:])
    return made


def make(folder: Path, count: int, *, text: bool) -> None:
    """Write the rows and the task file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = "rows.jsonl" if text else "rows.parquet"
    images = "" if text else '  images: "{{ row.image }}"\n'
    name = "measured_text" if text else "measured_pictures"
    task = TASK.format(name=name, modality="text" if text else "image", file=file, images=images)
    (folder / "task.yaml").write_text(task)
    if text:
        (folder / file).write_text("".join(json.dumps(row) + "\n" for row in rows(count)))
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    with_pictures = [
        {**row, "image": {"bytes": data, "path": f"{row['id']}.jpg"}}
        for row, data in zip(rows(count), pictures(count), strict=True)
    ]
    pq.write_table(pa.Table.from_pylist(with_pictures), folder / file, row_group_size=ROW_GROUP, compression="snappy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--text", action="store_true")
    given = parser.parse_args()
    make(given.folder, given.rows, text=given.text)


if __name__ == "__main__":
    main()
