"""The command line: what each command prints, what it asks, how it ends."""

from __future__ import annotations

import re
import signal
import time

import pytest
from command import ROWS, at, letters, pictures, process, refused, serving, spatialeval, summary_of

from spatialeval.cli.main import cli
from spatialeval.errors import MediaError, ModelError, StorageError, TaskFileError, UsageError

STOPPED = "Stopped. Answers of a run are kept: the same command goes on."
HEAVY = ("torch", "transformers", "datasets", "pandas", "pyarrow", "openai", "aiohttp", "av", "numpy", "PIL")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


# run


def test_a_baseline_runs_on_a_generated_task_and_says_where_the_results_are(out):
    ran = spatialeval("run", "-t", "maze(size=3,rows=20)", "-m", "random", "--out", out)
    assert ran.code == 0, ran
    assert "task maze(size=3,rows=20) · protocol official · strategy plain · model random" in ran.out
    assert f"Results: {out}" in ran.out
    summary = summary_of(out)
    assert (summary["total"], summary["complete"]) == (20, True)


def test_the_second_run_asks_nothing_and_a_higher_limit_only_what_is_new(tmp_path, out):
    with serving() as server:
        command = ("run", *letters(tmp_path), *at(server), "--out", out)
        first = spatialeval(*command, "-n", 5)
        assert (first.code, server.total) == (0, 5)
        again = spatialeval(*command, "-n", 5)
        assert (again.code, again.out, server.total) == (0, first.out, 5)
        assert spatialeval(*command).code == 0
        assert (server.total, max(server.counts.values())) == (ROWS, 3)  # three rows have the same question
    # With everything answered, neither the server nor a key is needed any more.
    gone = spatialeval(*command)
    assert gone.code == 0, gone
    assert summary_of(out)["total"] == ROWS


def test_a_dry_run_asks_nothing_writes_nothing_and_says_how_much_it_is(tmp_path, out):
    with serving() as server:
        command = ("run", *letters(tmp_path), *at(server), "-s", "plain", "-s", "cot", "--out", out)
        ran = spatialeval(*command, "--dry-run")
        assert (ran.code, server.total, out.exists()) == (0, 0, False)
        assert re.search(
            r"plain: 12 samples, 0 answered; 12 calls, about [1-9]\d* prompt tokens and at most 192 ans", ran.out
        )
        assert "first [user]: 'Which is A? Answer with a letter.'" in ran.out
        assert "In all 24 calls" in ran.out
        spatialeval("run", *letters(tmp_path), *at(server), "-n", 5, "--out", out)
        assert "12 samples, 5 answered; 7 calls" in spatialeval(*command, "--dry-run").out
        assert server.total == 5


def test_fresh_moves_the_old_folder_aside_and_asks_again(tmp_path, out):
    with serving() as server:
        command = ("run", *letters(tmp_path), *at(server), "--out", out)
        spatialeval(*command)
        ran = spatialeval(*command, "--fresh")
        assert server.total == 2 * ROWS
    old = re.search(r"What was there before is in (\S+)\.\n", ran.err)[1]
    assert (out / "letters" / "openai-m").exists()
    assert re.search(r"official\.plain\.old-\d{8}T\d+$", old)
    assert len(list(out.rglob("samples.parquet"))) == 2


def test_a_changed_setting_is_refused_with_what_changed(tmp_path, out):
    command = ("run", *letters(tmp_path), "-m", "random", "--out", out)
    spatialeval(*command)
    message = refused(*command, "--max-tokens", 5)
    assert "protocol.generate.max_tokens: 16 -> 5" in message
    assert "--fresh" in message


def test_several_models_and_strategies_end_with_an_overview(tmp_path, out):
    ran = spatialeval(
        "run", *letters(tmp_path), "-m", "oracle", "-m", "constant:A", "-s", "plain", "-s", "cot", "--out", out
    )
    assert ran.code == 0
    assert len(list(out.rglob("summary.json"))) == 4
    overview = ran.out[ran.out.rindex("letters.yaml · official") :]
    assert [line.split()[:5] for line in overview.splitlines() if "plain" in line or "cot" in line] == [
        ["oracle", "plain", "12", "100.0", "[75.8,"],
        ["oracle", "cot", "12", "100.0", "[75.8,"],
        ["constant:A", "plain", "12", "25.0", "[8.9,"],
        ["constant:A", "cot", "12", "25.0", "[8.9,"],
    ]


def test_a_name_that_is_wrong_in_the_last_of_several_runs_is_said_before_the_first(tmp_path, out):
    command = ("run", *letters(tmp_path), "-m", "oracle", "--out", out)
    assert "strategy" in refused(*command, "-s", "plain", "-s", "cott")
    assert "model" in refused(*command, "-m", "orakel")
    assert "protocol" in refused(*command, "-p", "official", "-p", "offical")
    assert not out.exists()


def test_a_blind_view_needs_no_pictures(tmp_path, out):
    options = pictures(tmp_path)[:-2]
    with serving() as server:
        assert spatialeval("run", *options, *at(server), "-s", "plain+blind", "--out", out).code == 0
        assert server.total == ROWS
        assert all(
            isinstance(m["content"], str) or len(m["content"]) == 1 for b in server.bodies for m in b["messages"]
        )


# show


def test_show_prints_the_tables_again(tmp_path, out):
    ran = spatialeval("run", *letters(tmp_path), "-m", "random", "-m", "oracle", "--out", out, "--tables")
    again = spatialeval("show", out)
    assert again.code == 0
    assert sorted(again.out.splitlines()) == sorted(ran.out.splitlines())
    one = spatialeval("show", out / "letters" / "oracle")
    assert "model oracle" in one.out
    assert "model random" not in one.out


def test_show_says_what_is_there_when_there_is_no_run(tmp_path):
    assert "there is no folder" in refused("show", tmp_path / "nowhere")
    assert "no run is in" in refused("show", tmp_path)


# exit codes, help


def test_an_interrupt_ends_with_130_and_the_same_command_goes_on(tmp_path, out):
    with serving(latency=0.4) as server:
        command = ("run", *letters(tmp_path), *at(server), "-c", 2, "--out", out)
        with process(*command) as running:
            deadline = time.monotonic() + 30
            while server.total < 3 and time.monotonic() < deadline:
                time.sleep(0.02)
            running.send_signal(signal.SIGINT)
            _, said = running.communicate(timeout=30)
        assert running.returncode == 130, said
        assert "run the same command again to ask the other" in said
        assert "Traceback" not in said
        asked = server.total
        assert 3 <= asked < ROWS
        server.latency = 0
        assert spatialeval(*command).code == 0
        assert server.total == ROWS


def test_an_interrupt_while_data_are_loaded_ends_at_once_with_130(out):
    with process("run", "-t", "maze(rows=2000000)", "-m", "random", "--out", out) as running:
        time.sleep(1.5)
        assert running.poll() is None
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=5)
    assert running.returncode == 130, said
    assert said.strip() == STOPPED


def test_a_reader_that_leaves_sees_no_traceback():
    with process("tasks", "list") as running:
        running.stdout.close()
        assert running.stderr.read() == ""


@pytest.mark.parametrize(
    "error",
    [
        UsageError("wrong. Do this."),
        TaskFileError("wrong. Do this.", file="a.yaml"),
        MediaError("wrong. Do this."),
        ModelError("wrong. Do this.", kind="timeout"),
        StorageError("wrong. Do this."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_raised_on_purpose_is_one_message_and_never_a_traceback(monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr("spatialeval.tasks.load_task", fail)
    assert refused("tasks", "show", "vsr").endswith("wrong. Do this.")


def test_an_interrupt_outside_of_a_run_is_said_in_one_line(monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("spatialeval.tasks.load_task", interrupt)
    ran = spatialeval("tasks", "show", "vsr")
    assert (ran.code, ran.out, ran.err.strip()) == (130, "", STOPPED)


COMMANDS = [
    [], ["quickstart"], ["run"], ["score"], ["show"], ["tasks"],
    *(["tasks", name] for name in ("list", "show", "preview", "validate", "schema")),
]  # fmt: skip


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_names_every_option_and_argument(path):
    ran = spatialeval(*path, "--help")
    assert ran.code == 0
    command = cli
    for name in path:
        command = command.get_command(None, name)
    for parameter in command.params:
        for name in [*parameter.opts, *parameter.secondary_opts] if parameter.param_type_name == "option" else ():
            assert name in ran.out
            assert parameter.help or name == "--version", f"{name} is not explained"
        if parameter.param_type_name == "argument":
            assert parameter.make_metavar(command.make_context("x", [], resilient_parsing=True)) in ran.out
    assert "\\b" not in ran.out


def test_help_and_lists_import_nothing_heavy():
    script = f"""
import atexit, sys
def report():
    sys.stderr.write(" ".join(sorted(set({HEAVY!r}) & set(sys.modules))))
atexit.register(report)
from spatialeval.cli.main import main
for command in {COMMANDS!r}:
    try:
        main([*command, "--help"])
    except SystemExit as leave:
        assert not leave.code
main(["tasks", "show", "vsi_bench"])
"""
    with process("tasks", "list", before=script) as running:
        printed, said = running.communicate(timeout=60)
    assert running.returncode == 0, said
    assert said == ""
    assert "vsi_bench" in printed


def test_a_command_without_arguments_prints_its_help_line_by_line():
    ran = spatialeval()
    assert ran.code == 2
    assert "spatialeval quickstart\n" in ran.err


def test_unknown_commands_and_options_name_the_nearest():
    assert refused("rum") == "there is no command 'rum'. Did you mean 'run'?"
    assert "--model" in refused("run", "--modle", "x")
    assert "previw" in refused("tasks", "previw")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "name at least one task with -t and one model with -m"),
        (("-t", "maze"), "name at least one task"),
        (("-t", "maze", "-m", "random", "-n", "0"), "-n"),
        (("-t", "maze", "-m", "random", "-o", "seed"), "KEY=VALUE"),
        (("-t", "maze", "-m", "random", "-o", "seed=["), "not valid YAML"),
        (("-t", "maze", "-m", "random", "-o", "sed=1"), "Did you mean 'seed'"),
        (("-t", "maze", "-m", "random", "-o", "seed=x"), "seed"),
        (("-t", "maze", "-t", "scenes", "-m", "random", "--data", "x"), "--data belongs to one task"),
        (("-t", "maze", "-m", "random", "--data", "x"), "leave --data out"),
        (("-t", "maze(size=abc)", "-m", "random"), "size is 'abc', and must be int"),
        (("-t", "maze(size=0)", "-m", "random"), "at least 2"),
        (("-t", "maze(sise=4)", "-m", "random"), "Did you mean 'size'"),
        (("-t", "maze(size=", "-m", "random"), "not of the form"),
        (("-t", "scenes(kinds=count)", "-m", "random"), "kinds is 'count', and must be"),
        (("-t", "scenes(level=hardest)", "-m", "random"), "hardest"),
        (("-t", "maze", "-m", "openai"), "openai:NAME"),
        (("-t", "maze", "-m", "random:x"), "write random"),
        (("-t", "maze", "-m", "openai:m", "--base-url", "nowhere"), "--base-url 'nowhere' is no HTTP address"),
        (("-t", "maze", "-m", "random", "-s", "cot(max=3)"), "max_tokens"),
        (("-t", "maze", "-m", "random", "-s", "blind"), "plain+blind"),
    ],
)  # fmt: skip
def test_options_that_cannot_work_are_refused_with_what_to_write(options, said, out):
    assert said in refused("run", *options, "--out", out)
