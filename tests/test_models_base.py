"""Specs, options and plain functions as models."""

from __future__ import annotations

import pytest

from spatialeval.errors import ModelError, UnknownNameError, UsageError
from spatialeval.messages import Request, Response, Settings
from spatialeval.models import MODELS, FunctionModel, ModelOptions, open_model

REQUEST = Request((), Settings())


async def test_a_function_or_a_coroutine_function_is_a_model():
    async def slow(request):
        return Response("B", "length")

    assert await FunctionModel(lambda request: "A").ask(REQUEST) == Response("A")
    assert await FunctionModel(slow).ask(REQUEST) == Response("B", "length")


@pytest.mark.parametrize(("error", "kind"), [(KeyError("x"), "model_error"), (ModelError("no", kind="auth"), "auth")])
async def test_what_a_function_raises_is_an_error_of_the_model(error, kind):
    def fail(request):
        raise error

    with pytest.raises(ModelError) as caught:
        await FunctionModel(fail, name="mine").ask(REQUEST)
    assert caught.value.kind == kind


def test_a_spec_names_a_model_and_options_set_its_concurrency():
    model = open_model("constant:a:b", ModelOptions(concurrency=3))
    assert (model.spec, model.reply, model.concurrency) == ("constant:a:b", "a:b", 3)


def test_an_unknown_prefix_or_option_names_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'openai'"):
        open_model("openia:gpt-4o")
    with pytest.raises(UsageError, match=r"random has no option 'seeds'\. Did you mean 'seed'"):
        open_model("random", ModelOptions(extra={"seeds": 1}))


def test_every_built_in_model_is_registered():
    assert {"openai", "hf", "embedded", "random", "majority", "constant", "oracle", "replay"} <= set(MODELS.names())
