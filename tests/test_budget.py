"""Budgets: nothing is sent that may not be paid for, a run that stops resumes, and earlier sessions count."""

from __future__ import annotations

import asyncio
import json

import pytest
from command import at, letters, refused, serving, spatialeval, summary_of
from run_fakes import make_items, no_sleep
from run_fakes import run as run_fakes

from spatialeval.errors import UsageError
from spatialeval.messages import Message, Request, Response, Settings, Text, Usage
from spatialeval.models import ModelOptions, open_model
from spatialeval.models.base import FunctionModel
from spatialeval.models.prices import TABLE, Price, dollars, estimated, known_price, read_price
from spatialeval.run.budget import Account, Budget, Guesser
from spatialeval.run.journal import Journal
from spatialeval.run.stopping import Halt, Stop
from spatialeval.yamlfile import read_yaml

USED = Usage(prompt_tokens=90, completion_tokens=10)


def manifest_of(out):
    (file,) = out.rglob("manifest.json")
    return json.loads(file.read_text())


async def spend(tmp_path, budget, count=50, usage=USED, **changes):
    """Run some items under a budget; return how many requests were sent, and the most in flight."""
    sent, now, most = 0, 0, 0

    async def reply(request):
        nonlocal sent, now, most
        sent, now = sent + 1, now + 1
        most = max(most, now)
        await asyncio.sleep(0.001)
        now -= 1
        return Response("A", usage=usage)

    model = FunctionModel(reply, concurrency=8)
    model.quote = read_price("in=10,out=100", "m")  # 90 and 10 tokens: 0.0019 USD
    stop = Stop()
    await run_fakes(make_items(count), tmp_path, model=model, budget=budget, stop=stop, sleep=no_sleep, **changes)
    return sent, stop


@pytest.mark.parametrize(
    ("budget", "calls"), [(Budget(max_tokens=2050), 20), (Budget(max_cost=0.0192), 10), (Budget(max_tokens=10**6), 50)]
)
async def test_a_budget_is_used_to_its_last_request_and_never_exceeded(tmp_path, budget, calls):
    sent, stop = await spend(tmp_path, budget)
    assert sent == calls
    assert stop.stopping == (calls < 50) == budget.spent
    assert budget.tokens == calls * 100
    assert budget.cost == pytest.approx(calls * 0.0019)


async def test_a_backend_that_tells_no_tokens_is_paid_by_guesses(tmp_path):
    budget = Budget(max_tokens=100)
    sent, stop = await spend(tmp_path, budget, usage=Usage())
    assert stop.stopping
    assert 5 < sent < 50
    assert budget.tokens <= 100


async def test_a_budget_that_is_spent_already_sends_nothing(tmp_path):
    budget = Budget(max_tokens=1000)
    budget.count(995, 0.0)
    sent, stop = await spend(tmp_path, budget)
    assert (sent, stop.stopping) == (0, True)
    assert str(budget) == "995 of --max-total-tokens 1,000"


def test_earlier_sessions_of_a_run_count_once(tmp_path):
    budget = Budget(max_tokens=1000)
    for folder, tokens in (("a", 10), ("b", 20), ("a", 15)):
        budget.begin(tmp_path / folder, tokens, 0.5)
    assert (budget.tokens, budget.cost) == (30, 1.0)


async def test_a_request_that_does_not_fit_now_waits_for_those_in_flight():
    budget, stop = Budget(max_tokens=100), Stop()
    await budget.hold(80, 0, stop)
    waiting = asyncio.create_task(budget.hold(80, 0, stop))
    await asyncio.sleep(0)
    assert not waiting.done()
    budget.count(10, 0)
    budget.free(80, 0)
    await asyncio.wait_for(waiting, 5)
    budget.count(90, 0)
    budget.free(80, 0)
    with pytest.raises(Halt):
        await budget.hold(80, 0, stop)
    assert stop.reason == "the budget is spent: 100 of --max-total-tokens 100"


def test_guesses_begin_at_the_most_and_follow_what_is_used():
    guesser, request = Guesser(), Request((Message("user", (Text("x" * 400),)),), Settings(max_tokens=1000))
    first = guesser.guess(request)
    assert (first.prompt, first.completion) == (100, 1000)
    assert guesser.learn(first, Response("A", usage=Usage(150, 10, 20))) == (150, 10, 20)
    second = guesser.guess(request)
    assert (second.prompt, second.completion) == (150, 10)


def test_nobody_counts_where_nothing_is_limited():
    assert Account.of(FunctionModel(lambda _: "A"), None) is None


def test_calls_of_unfinished_items_and_judges_are_in_the_journals_sums_and_cached_ones_are_not(tmp_path):
    from spatialeval.run.records import Call, judged_key

    def call(attempts, *usage):
        return Call({}, Response("A", usage=Usage(*usage)).record(), 0.1, attempts)

    async def fill(journal):
        await journal.put_call("s0", 0, "d", call(1, 10, 1, 5))
        await journal.put_call("s0", 1, "d", call(3, 20, 2))
        await journal.put_call("s1", 0, "d", call(0, 1000, 1000))
        await journal.put_call(judged_key("s0"), 0, "d", call(1, 7, 7))

    with Journal.open(tmp_path / "journal.sqlite") as journal:
        asyncio.run(fill(journal))
        assert journal.usage() == {False: Usage(30, 3, 5), True: Usage(7, 7, None)}


def test_a_command_stops_at_its_budget_says_what_is_left_and_goes_on_with_a_higher_one(tmp_path):
    with serving() as server:
        run = ("run", *letters(tmp_path), *at(server), "--out", tmp_path / "out")
        ran = spatialeval(*run, "--max-total-tokens", 60)
        assert ran.code == 3
        asked = server.total
        assert 0 < asked <= 4  # 14 tokens each
        assert "The budget is spent" in ran.text
        assert f"{asked * 14} of --max-total-tokens 60" in ran.text
        assert f"{asked} of 12 samples are answered" in ran.text
        assert f"ask the other {12 - asked}, which at this rate take about" in ran.text
        assert manifest_of(tmp_path / "out")["sessions"][-1]["status"] == "stopped: budget spent"
        again = spatialeval(*run, "--max-total-tokens", 60)
        assert (again.code, server.total) == (3, asked)  # what an earlier session spent counts
        done = spatialeval(*run, "--max-total-tokens", 500)
        assert (done.code, server.total) == (0, 12)


def test_the_runs_of_one_command_share_its_budget(tmp_path):
    with serving() as server:
        run = ("run", *letters(tmp_path), *at(server), "-m", "openai:other", "--out", tmp_path / "out")
        ran = spatialeval(*run, "--max-total-tokens", 250)
        assert ran.code == 3
        assert 12 < server.total <= 250 / 14


def test_costs_are_in_the_manifest_the_summary_and_the_table(tmp_path):
    with serving() as server:
        ran = spatialeval(
            "run", *letters(tmp_path), *at(server), "--out", tmp_path / "out", "--price", "in=1000,out=2000,cached=100"
        )
    each = (6 * 1000 + 5 * 100 + 3 * 2000) / 1e6
    assert ran.code == 0, ran
    assert manifest_of(tmp_path / "out")["totals"]["cost_usd"] == pytest.approx(12 * each)
    summary = summary_of(tmp_path / "out")
    assert summary["cost_usd"] == pytest.approx(12 * each)
    assert summary["prices"] == {"model": "in=1000,out=2000,cached=100 (--price)"}
    assert "Cost: $0.15" in ran.text
    assert "about $" in ran.text  # before it began


def test_what_no_server_tells_is_no_cost_of_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("fault_server.completion", lambda text, model: {"choices": [{"message": {"content": text}}]})
    with serving() as server:
        spatialeval("run", *letters(tmp_path), *at(server), "--out", tmp_path / "out", "--price", "in=1,out=1")
    assert "cost_usd" not in manifest_of(tmp_path / "out")["totals"]


def test_failed_samples_that_a_spent_budget_left_out_are_mentioned(tmp_path):
    with serving() as server:
        command = ("run", *letters(tmp_path), *at(server), "--out", tmp_path / "out")
        task = tmp_path / "letters.yaml"
        task.write_text(
            task.read_text().replace("row.target }}?", "row.target }}?{{ '[fault:400]' if row.id == 'r0' }}")
        )
        assert "failed" in spatialeval(*command).text
        before = server.total
        ran = spatialeval(*command, "--max-total-tokens", "20")
    assert (ran.code, server.total) == (3, before)
    assert "Not all failed samples were asked again" in ran.text


def test_a_dry_run_says_what_it_would_cost(tmp_path, monkeypatch):
    ran = spatialeval("run", *letters(tmp_path), "-m", "openai:gpt-4o", "--out", tmp_path / "out", "--dry-run")
    assert ran.code == 0, ran
    assert "for the prompts and at most $" in ran.text


def test_a_limited_cost_without_a_price_is_refused_before_anything_is_asked(tmp_path):
    with serving() as server:
        run = ("run", *letters(tmp_path), *at(server), "--out", tmp_path / "out", "--max-cost", 1)
        message = refused(*run)
        assert "needs the price of openai:m" in message
        assert "--price in=2.50,out=10" in message
        assert server.total == 0
        assert spatialeval(*run, "--price", "in=0,out=0").code == 0


def test_the_table_is_sound_and_says_where_it_is_from():
    table, _ = read_yaml(TABLE)
    assert table["source"].startswith("https://")
    assert all(name == str(name) and known_price(name) for name in table["models"])
    quote = known_price("gpt-4o-mini")
    assert quote.price == Price(prompt=0.15, cached=0.075, completion=0.6)
    assert table["date"] in quote.source
    assert known_price("my-model") is None
    assert open_model("openai:gpt-4o-mini").quote == quote
    assert open_model("openai:gpt-4o-mini", ModelOptions(base_url="http://127.0.0.1/v1")).quote is None
    batch = open_model("openai:gpt-4o-mini", ModelOptions(extra={"batch": True})).quote
    assert batch.price == Price(prompt=0.075, cached=0.0375, completion=0.3)


def test_prices_of_tokens_and_of_cached_ones():
    price = Price(prompt=2.0, completion=10.0, cached=0.5)
    assert price.of(Usage(1_000_000, 100_000, 400_000)) == pytest.approx(1.2 + 0.2 + 1.0)
    assert Price(prompt=2.0, completion=10.0).of(Usage(1_000_000, None, 400_000)) == 2.0
    assert str(price) == "in=2,out=10,cached=0.5"


def test_a_file_of_prices(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("date: '2026-01-01'\nsource: my bill\nmodels:\n  m: {prompt: 1, completion: 2}\n")
    assert read_price(str(file), "m").price == Price(prompt=1, completion=2)
    with pytest.raises(UsageError, match=r"mine.yaml has no price of 'n'.*'m'|Known: m"):
        read_price(str(file), "n")


@pytest.mark.parametrize("text", ["in=1", "in=a,out=2", "in=-1,out=2", "input=1,out=2", "nothing.yaml"])
def test_a_price_that_is_none_is_refused_with_an_example(text):
    with pytest.raises(UsageError, match=r"in=2\.50,out=10"):
        read_price(text, "m")


@pytest.mark.parametrize(("amount", "told"), [(0, "$0.00"), (0.00123, "$0.0012"), (1234.5, "$1,234.50"), (0.5, "$0.5")])
def test_dollars(amount, told):
    assert dollars(amount) == told


def test_nothing_is_said_about_costs_that_are_not_known():
    assert estimated(None, 10, 10) == estimated(read_price("in=0,out=0", "m"), 10, 10) == ""


@pytest.mark.parametrize(
    "command", [("ablate", "-s", "plain,cot(max_tokens=16)"), ("robust", "--transforms", "circular")]
)
def test_every_command_that_asks_models_can_be_limited(tmp_path, command):
    name, *options = command
    with serving() as server:
        asked = (
            name,
            "openai:m",
            *options,
            *letters(tmp_path),
            "--base-url",
            server.base_url,
            "--out",
            tmp_path / "out",
        )
        ran = spatialeval(*asked, "--max-total-tokens", 100)
        assert ran.code == 3, ran
        assert "The budget is spent" in ran.text
        assert 0 < server.total <= 100 / 14


def test_an_experiment_names_limits_and_prices(tmp_path):
    letters(tmp_path)
    with serving() as server:
        (tmp_path / "e.yaml").write_text(
            f"models: [{{spec: 'openai:m', base_url: '{server.base_url}', rpm: 6000, tpm: 1e6, price: 'in=1,out=1'}}]\n"
            f"tasks: [{{task: letters.yaml, data: rows.jsonl}}]\nmax_cost: 0.0001\nout: {tmp_path / 'out'}\n"
        )
        ran = spatialeval("run", tmp_path / "e.yaml")
        assert ran.code == 3, ran
        assert 5 <= server.total <= 100 / 14
        assert "--max-cost $0.0001" in ran.text
