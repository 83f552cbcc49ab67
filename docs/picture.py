"""Draw docs/quickstart.svg, the picture in the README, from the results of `spatialeval quickstart`.

python docs/picture.py results/quickstart docs/quickstart.svg
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console

from spatialeval.report.table import print_overview, print_summary
from spatialeval.run.results import read_summary


def main(results: Path, picture: Path) -> None:
    folders = sorted((file.parent for file in results.rglob("summary.json")), key=lambda f: f.stat().st_ctime)
    summaries = {folder: read_summary(folder) for folder in folders}
    console = Console(record=True, width=98, file=io.StringIO(), markup=False, emoji=False, highlight=False)
    first = next(folder for folder in folders if "easy" in str(folder) and folder.name.endswith("plain"))
    console.print("$ spatialeval quickstart")
    print_summary(summaries[first], console=console)
    print_overview(list(summaries.values()), console=console)
    svg = console.export_svg(title="spatialeval quickstart")
    # The library points to a web font; the picture must not reach out, and any monospaced font will do.
    picture.write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
