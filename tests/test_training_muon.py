"""Muon trains the hidden matrices, AdamW the rest, and neither can be given parts of a matrix."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from training_recipes import write_base

from spatialeval.errors import UsageError

pytestmark = pytest.mark.slow

CONFIG = {"learning_rate": 1e-2, "weight_decay": 0.0, "adam_beta1": 0.9, "adam_beta2": 0.999, "adam_epsilon": 1e-8}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(write_base(tmp_path_factory.mktemp("model") / "base"))


def make(model, **changed):
    from spatialeval.training.muon import make_muon

    return make_muon(model, SimpleNamespace(**{**CONFIG, "deepspeed": None, "fsdp": None, **changed}))


def test_every_weight_is_in_one_group_and_only_hidden_matrices_are_muons(model):
    muon, adamw = make(model).parts
    matrices, others = ([weight for group in part.param_groups for weight in group["params"]] for part in (muon, adamw))
    names = {id(weight): name for name, weight in model.named_parameters()}
    assert sorted(names[id(weight)] for weight in (*matrices, *others)) == sorted(names.values())
    assert all("proj" in names[id(weight)] for weight in matrices)
    assert {names[id(weight)].rpartition(".")[0].rpartition(".")[2] for weight in others} >= {"embed_tokens", "norm"}


def test_a_step_moves_a_matrix_in_all_its_directions_alike(model):
    import torch

    weight = model.model.layers[0].mlp.up_proj.weight
    before = weight.detach().clone()
    optimiser = make(model)
    (weight * torch.linspace(0.01, 1, weight.shape[1])).square().sum().backward()
    gradient = torch.linalg.svdvals(weight.grad)
    optimiser.step()
    moved = torch.linalg.svdvals(before - weight.detach())
    alike = [float((values > 0.5 * values.max()).float().mean()) for values in (gradient, moved)]
    assert alike[0] < 0.5
    assert alike[1] > 0.8  # five Newton-Schulz steps bring them near each other, not to one value


def test_a_schedule_and_a_kept_state_reach_both_parts(model):
    import torch

    first = make(model)
    schedule = torch.optim.lr_scheduler.LambdaLR(first, lambda _: 0.5)
    assert [group["lr"] for part in first.parts for group in part.param_groups] == [5e-3, 5e-3]
    second = make(model)
    second.load_state_dict(first.state_dict())
    assert [group["lr"] for group in second.param_groups] == [5e-3, 5e-3]
    assert second.param_groups[0] is second.parts[0].param_groups[0]
    del schedule


@pytest.mark.parametrize("engine", ["deepspeed", "fsdp"])
def test_weights_in_parts_are_refused(model, engine):
    with pytest.raises(UsageError, match="needs whole matrices"):
        make(model, **{engine: "zero3.json"})


def test_nothing_to_train_for_it_is_said():
    import torch

    with pytest.raises(UsageError, match="finds no matrix to train"):
        make(
            SimpleNamespace(
                parameters=lambda: [torch.nn.Parameter(torch.ones(3))],
                get_input_embeddings=lambda: None,
                get_output_embeddings=lambda: None,
            )
        )
