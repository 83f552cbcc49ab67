"""The structure of the package: one direction of imports, short files, curated names, light commands."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import spatialeval

PACKAGE = Path(spatialeval.__file__).parent

# Lowest first. A module may import from its own layer and from those before it.
LAYERS = (
    ("_version", "errors"),
    ("foreign", "lru", "registry", "specs", "templates", "text", "yamlfile"),
    ("media", "reasoning"),
    ("samples", "messages", "scores", "mazes", "gridgames"),
    ("written",),
    ("readers", "scorers"),
    ("grading",),
    ("generators", "edits"),
    ("data", "importers"),
    ("tasks",),
    ("rewards",),
    ("models",),
    ("tools",),
    ("views", "strategies"),
    ("stats",),
    ("run",),
    ("report",),
    ("api",),
    ("training",),
    ("cli",),
    ("__main__",),
    ("__main__",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
FILES = sorted(PACKAGE.rglob("*.py"))


def layer_of(file: Path) -> str:
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def imports(tree: ast.Module) -> set[str]:
    """Return the layers a module imports at run time; imports for type checking do not count."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    found = set()
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("spatialeval.")}
    return {name for name in found if name in LEVEL}


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_imports_go_down_the_layers_only(file):
    layer = layer_of(file)
    if layer == "__init__":
        return
    assert layer in LEVEL, f"{layer} is in no layer: add it to LAYERS"
    upward = {name for name in imports(ast.parse(file.read_text())) if LEVEL[name] > LEVEL[layer]}
    assert not upward, f"{file.name} imports {upward} from above"


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_no_file_has_more_than_300_lines(file):
    lines = file.read_text().splitlines()
    assert len(lines) <= 300, f"{file} has {len(lines)} lines: split it"


def test_public_names_are_exactly_those_listed_and_load():
    for name in spatialeval.__all__:
        assert getattr(spatialeval, name) is not None
    assert sorted(spatialeval.__all__) == dir(spatialeval)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = spatialeval.nothing


HEAVY = ("torch", "transformers", "datasets", "pandas", "pyarrow", "openai", "aiohttp", "numpy", "av", "PIL")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["tasks", "list"], ["tasks", "show", "vsi_bench"], ["run", "--help"]], ids=" ".join
)
def test_light_commands_import_nothing_heavy(arguments):
    code = (
        "import sys\n"
        "from spatialeval.cli.main import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as leave: assert not leave.code, leave.code\n"
        f"print('HEAVY', sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "HEAVY []"
