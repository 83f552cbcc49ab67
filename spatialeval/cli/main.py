"""The `spatialeval` command. Sub-commands load when they are called, so that help is instant."""

from __future__ import annotations

import importlib
import sys

import click

from spatialeval._version import __version__
from spatialeval.errors import SpatialEvalError, nearest

BAD_INPUT, INCOMPLETE, INTERRUPTED = 2, 3, 130
"""Exit codes: wrong input or environment; a run with failed or missing samples; stopped by the user."""

_COMMANDS = {
    "quickstart": "Evaluate the embedded model on generated tasks: no key, no GPU, no download.",
    "run": "Ask a model the questions of tasks; the same command resumes.",
    "merge": "Put the shards of a run (--shard) together into one ordinary run.",
    "score": "Score saved replies under any protocol, without a model.",
    "import": "Take over answers that another harness has paid for.",
    "judge-check": "Measure how well a judge agrees with verdicts that people gave.",
    "compare": "Compare finished runs, question by question: what differs, what flipped, and why?",
    "ablate": "Compare ways of asking: what is each strategy worth?",
    "robust": "Ask under mirrored pictures, turned options, changed words: what survives?",
    "report": "Write leaderboards and one self-contained HTML page of runs.",
    "view": "Open a report in the browser, from this machine alone.",
    "export": "Write runs as a model card's YAML, LaTeX, Markdown, CSV, JSON or Parquet.",
    "power": "Say how many questions it takes to see a difference.",
    "show": "Print the tables of finished or unfinished runs again.",
    "train": "Train a model by a recipe, with the scorers of the tasks as rewards.",
    "loop": "Evaluate, train by a recipe, evaluate again: what was gained?",
    "tasks": "List, show, preview and validate tasks.",
}


_MODULES = {"import": "importing", "judge-check": "judge_check"}
"""Commands whose names cannot be names of modules."""


class LazyGroup(click.Group):
    """A group whose commands live in modules of this package that are imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names without importing anything."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:  # noqa: ARG002
        """Import and return one command; raise UsageError, naming the nearest one, when there is none."""
        if cmd_name not in _COMMANDS:
            raise click.UsageError(f"there is no command {cmd_name!r}. {nearest(cmd_name, _COMMANDS)}".rstrip())
        command = importlib.import_module(f"spatialeval.cli.{_MODULES.get(cmd_name, cmd_name)}").command
        assert isinstance(command, click.Command)  # noqa: S101 - a broken module of ours, not bad input
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands from the table above, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


_HELP = """Evaluate how well vision-language models reason about space.

\b
spatialeval quickstart
spatialeval tasks list
spatialeval run -m openai:gpt-4o -t vsr --media coco/ -s plain -s cot
"""
"""Click keeps the lines of a paragraph that begins with a backspace."""


@click.group(
    cls=LazyGroup, help=_HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__, "-V", "--version")
def cli() -> None:
    """Hold the commands."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; errors raised on purpose become one message on standard error and exit code 2."""
    try:
        cli.main(args=arguments, prog_name="spatialeval", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped. Answers of a run are kept: the same command goes on.", err=True)
        sys.exit(INTERRUPTED)
    except click.exceptions.Exit as leave:
        sys.exit(leave.exit_code)
    except SpatialEvalError as error:
        click.echo(f"{click.style('Error:', fg='red', bold=True)} {error}", err=True)
        sys.exit(BAD_INPUT)
