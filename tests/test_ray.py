"""A run over a local Ray cluster of two workers is the run of one process, also when workers are killed under it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import replace
from functools import partial

import pyarrow.parquet as pq
import pytest
from command import at, letters, refused, serving, spatialeval
from run_letters import TASK, letters_run, run, write_rows

from spatialeval.errors import MediaError, ModelError, UsageError
from spatialeval.media import Media
from spatialeval.messages import Image, Message, Request, Settings, Text
from spatialeval.models import FunctionModel, ModelOptions, open_model
from spatialeval.models.ray import RayModel, RayOptions
from spatialeval.models.ray.worker import Refused, packed
from spatialeval.run.execute import execute
from spatialeval.samples import Sample

TIMES = ["latency", "calls"]
"""Columns of samples.parquet that hold how long a call took."""


def options(**changes):
    return RayOptions(**{"workers": 2, "cpus": 0.25, **changes})


def request(*parts):
    return Request((Message("user", parts),), Settings())


# without Ray


def test_requests_travel_as_bytes_and_without_what_is_never_sent(tmp_path):
    (tmp_path / "a.png").write_bytes(b"file")
    pictures = [
        Media("image", "a", tmp_path / "a.png"),
        Media("image", "b", lambda: b"frame"),
        Media("image", "c", b"c"),
    ]
    asked = replace(request(*map(Image, pictures), Text("?")), form=str)
    sent = packed(asked, sample=False)
    assert [image.media.source for image in sent.messages[0].images] == [b"file", b"frame", b"c"]
    assert sent.form is None
    assert sent.record == asked.record
    about = Sample("s1", "yesno", "?", "yes", media=tuple(pictures))
    assert packed(replace(asked, sample=about), sample=False).sample is None
    assert packed(replace(asked, sample=about), sample=True).sample == replace(about, media=())


@pytest.mark.parametrize(
    "error",
    [
        ModelError("slow", kind="rate_limited", transient=True, retry_after=3.0),
        MediaError("no picture"),
        UsageError("no such checkpoint"),
    ],
)
def test_errors_come_home_as_they_were(error):
    back = Refused.of(error, "m").error
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert vars(back) == vars(error)
    assert Refused.of(KeyError("x"), "m").error.kind == "model_error"


def test_the_identity_is_that_of_the_model_alone_and_baselines_need_no_workers():
    plain = ModelOptions(base_url="http://127.0.0.1:1/v1", extra={"detail": "low"})
    over = open_model("openai:m", replace(plain, ray=options()))
    assert isinstance(over, RayModel)
    assert over.identity() == open_model("openai:m", plain).identity()
    assert over.spec == "openai:m"
    with pytest.raises(UsageError, match="needs no workers"):
        open_model("random", ModelOptions(ray=options()))
    with pytest.raises(UsageError, match="leave --executor or --batch out"):
        open_model("openai:m", ModelOptions(extra={"batch": True}, ray=options()))


def test_options_of_ray_without_ray_are_refused(tmp_path):
    message = spatialeval("run", *letters(tmp_path), "-m", "random", "--workers", "2")
    assert message.code == 2
    assert "belong to --executor ray" in message.err


# with Ray


@pytest.fixture(scope="module")
def cluster():
    """A cluster of this machine, so that not every test waits for one."""
    ray = pytest.importorskip("ray", reason="pip install 'spatialeval[ray]'")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    # Workers cannot import a test module: what they need of it travels whole.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield ray
    ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    ray.shutdown()


ray_tests = [
    pytest.mark.ray,
    pytest.mark.slow,
    # Ray leaves sockets and files of its own to the garbage collector
    pytest.mark.filterwarnings("default"),
]


def ray_test(function):
    for mark in ray_tests:
        function = mark(function)
    return function


def thoughtful():
    """A model whose replies are right or wrong as the question says, in no fixed order."""

    async def answer(request):
        text = request.messages[0].text
        await asyncio.sleep(0.02 + len(text) % 3 / 100)
        number = int(request.sample.id[1:])
        if number % 13 == 5:
            raise ModelError("no", kind="content_filter")
        return "hmm" if number % 7 == 3 else "ABCD"[number % 5 % 4]

    return FunctionModel(answer, "function:truthful", 4)


def results(folder):
    """Everything in the results but how long calls took."""
    table = pq.read_table(folder / "samples.parquet")
    calls = [
        [{key: value for key, value in call.items() if key != "latency"} for call in json.loads(text)]
        for text in table["calls"].to_pylist()
    ]
    return table.drop_columns(TIMES), calls, (folder / "summary.json").read_bytes()


@pytest.fixture
def spec(tmp_path):
    made = letters_run(tmp_path)
    rows = [
        {"id": f"r{i}", "target": "ABCD"[i % 4], "choices": ["w", "x", "y", "z"], "category": "ab"[i % 2]}
        for i in range(300)
    ]
    write_rows(tmp_path / "rows.jsonl", rows)
    (tmp_path / "letters.yaml").write_text(TASK)
    return made


class Killing(RayModel):
    """Kills a worker after every so many answers, in turn by Ray and by `kill -9`."""

    every, kills, answers = 60, 0, 0

    async def ask(self, request):
        response = await super().ask(request)
        type(self).answers += 1
        if self.answers % self.every == 0 and self.kills < 4:
            seat = next(seat for seat in self._seats if seat.actor is not None)
            type(self).kills += 1
            if self.kills % 2:
                import ray

                ray.kill(seat.actor)
            else:
                os.kill(seat.pid, signal.SIGKILL)
        return response


@ray_test
async def test_results_are_those_of_one_process_though_workers_are_killed(spec, tmp_path, cluster):
    alone = await execute(replace(spec, out=tmp_path / "alone"), model=thoughtful())
    said = []
    model = Killing(thoughtful, options())
    over = await execute(spec, model=model, events=lambda event: said.append(str(event)))
    assert model.kills == 4
    assert sum("its requests go to others" in text for text in said) == 4
    assert results(over.folder) == results(alone.folder)
    # the run is an ordinary one: without a cluster it has nothing left to ask but what failed
    asked = []
    again = await run(spec, lambda request: asked.append(request.sample.id) or request.sample.target)
    assert again.complete
    assert len(asked) == alone.states["failed"]


@ray_test
async def test_a_worker_that_cannot_load_its_model_says_why(spec, cluster):
    class Broken(FunctionModel):
        async def start(self):
            raise UsageError("there is no such checkpoint")

    with pytest.raises(UsageError, match="no such checkpoint"):
        await execute(spec, model=RayModel(partial(Broken, str), options()))


@ray_test
async def test_a_request_that_ends_every_worker_fails_alone(spec, cluster, monkeypatch):
    monkeypatch.setattr("spatialeval.models.ray.model.LIVES", 2)

    def deadly():
        def answer(request):
            if request.sample.id == "r7":
                os._exit(1)
            return request.sample.target

        return FunctionModel(answer, "function:truthful", 1)

    outcome = await execute(replace(spec, limit=None), model=RayModel(deadly, options()))
    assert outcome.states == {"scored": 299, "failed": 1}, outcome.summary.messages
    assert list(outcome.summary.failures) == ["model_error"]


@ray_test
def test_the_command_asks_a_server_from_its_workers(tmp_path, cluster):
    with serving() as server:
        command = ("run", *letters(tmp_path, rows=40), *at(server), "--out", tmp_path / "out", "--executor", "ray")
        ran = spatialeval(*command, "--workers", "2", "--ray-cpus", "0.25")
        assert ran.code == 0, ran
        assert server.total == 40
        assert spatialeval(*command[:-2]).code == 0
        assert server.total == 40


def test_without_ray_the_command_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    message = refused("run", *letters(tmp_path), "-m", "openai:m", "--executor", "ray", "--out", tmp_path / "out")
    assert "pip install 'spatialeval[ray]'" in message
