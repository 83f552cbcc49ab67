"""Every block of code in README and docs: Python runs, shell lines are ones the command takes, YAML and TOML are read.

A shell block below `<!-- run -->` is run as it stands. What cannot run without a network or a key is marked with
`<!-- not run: reason -->` on the line above it.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import click
import pytest
import yaml

from spatialeval.cli.main import cli
from spatialeval.run.asking import parse_asking
from spatialeval.run.experiment import Experiment
from spatialeval.tasks import load_task, task_names
from spatialeval.tasks.catalogue import expand_suites

REPOSITORY = Path(__file__).parents[1]
PAGES = sorted([*REPOSITORY.glob("docs/*.md"), REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md"])
FENCE = re.compile(
    r"^(?:<!-- (?P<mark>run|not run: .+?) -->\n+)?```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
OTHERS = {".", "git", "python3.11", "pip", "cd", "export", "hf", "scripts/quickstart", "scripts/ci", "vllm", "zensical"}
OTHERS |= {"accelerate", "torchrun", "trl"}
"""Commands of blocks that are not ours; those below scripts/ must be there."""


class Block(NamedTuple):
    page: str
    line: int
    kind: str
    text: str
    mark: str


def blocks_of(page):
    text = page.read_text()
    for found in FENCE.finditer(text):
        line = text.count("\n", 0, found.start("text"))
        yield Block(page.name, line, found["kind"], found["text"], found["mark"] or "")


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def of(*kinds):
    chosen = [block for block in BLOCKS if block.kind in kinds and not block.mark.startswith("not run")]
    return pytest.mark.parametrize("block", chosen, ids=lambda block: f"{block.page}:{block.line}")


def test_every_block_says_what_it_is_and_few_are_not_run():
    fences = sum(page.read_text().count("\n```") for page in PAGES)
    assert fences == 2 * len(BLOCKS)
    assert {block.kind for block in BLOCKS} <= {"bash", "python", "yaml", "toml", "json", "text"}
    skipped = [block for block in BLOCKS if block.mark.startswith("not run")]
    assert len(skipped) <= 6, "mark only what needs a network or a key"
    assert len(BLOCKS) >= 25


@pytest.mark.parametrize("page", sorted({block.page for block in BLOCKS if block.kind == "python"}))
def test_python_blocks_of_a_page_run_in_their_order(page, tmp_path):
    text = "\n".join(block.text for block in BLOCKS if block.page == page and block.kind == "python" and not block.mark)
    done = subprocess.run([sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def lines_of(text):
    """Return the commands of a block as lists of words; a line that ends in a backslash goes on."""
    joined = text.replace("\\\n", " ")
    for line in joined.splitlines():
        for command in re.split(r"\s&&\s", line):
            words = shlex.split(command, comments=True)
            while words and (words[0] == "srun" or re.fullmatch(r"\w+=\S*", words[0])):
                words = words[1:]
            if words:
                yield words


@of("bash")
def test_shell_lines_are_commands_that_there_are(block):
    for words in lines_of(block.text):
        if words[0] == "spatialeval":
            check_command(words[1:])
        elif Path(words[0]).name == "python":
            assert words[1] == "-m" or (REPOSITORY / words[1]).exists(), f"there is no {words[1]}"
        else:
            assert Path(words[0]).name in OTHERS or words[0] in OTHERS, f"{words[0]} is not ours: {words}"
            assert not words[0].startswith("scripts/") or (REPOSITORY / words[0]).exists()


def check_command(words):
    """Parse a command line as click does, and look up the tasks and strategies in it."""
    command, context = cli, click.Context(cli)
    while isinstance(command, click.Group):
        name, *words = words
        command = command.get_command(context, name)
        assert command is not None, name
    for option in command.params:  # a folder of somebody's pictures is not here
        if isinstance(option.type, click.Path):
            option.type.exists = False
    given = command.make_context(name, list(words)).params
    for task in given.get("tasks") or ():
        if not task.endswith(".yaml"):
            assert all(load_task(each) for each in expand_suites([task]))
    for strategy in given.get("strategies") or ():
        for each in re.split(r",(?![^(]*\))", strategy):
            parse_asking(each)
    task = given.get("task")
    if isinstance(task, str) and task.partition(":")[0] in task_names():
        for protocol in given.get("protocols") or ():
            load_task(task).protocol(protocol)


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if block.mark == "run"], ids=lambda block: f"{block.page}:{block.line}"
)
def test_blocks_to_be_run_run(block, tmp_path):
    for words in lines_of(block.text):
        assert words[0] == "spatialeval", f"only commands of ours are run: {words}"
        code = "from spatialeval.cli.main import main; main()"
        command = [sys.executable, "-c", code, *words[1:]]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{words}: {done.stderr}"


@of("yaml", "toml", "json")
def test_data_blocks_are_read(block):
    if block.kind == "toml":
        assert tomllib.loads(block.text)
        return
    data = yaml.safe_load(block.text)
    assert data
    if isinstance(data, dict) and {"models", "tasks"} <= data.keys():
        Experiment.model_validate(data)


def test_every_page_is_in_the_site_and_links_lead_somewhere():
    site = yaml.safe_load((REPOSITORY / "mkdocs.yml").read_text())
    named = set(re.findall(r"[\w-]+\.md", str(site["nav"])))
    assert named == {page.name for page in (REPOSITORY / "docs").glob("*.md")}
    for page in PAGES:
        for link in re.findall(r"\]\((?!https?://)([^)#\s]+)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
