"""Muon for the matrices of the hidden layers, AdamW for every other weight. Imports torch.

Muon orthogonalises the update of a matrix (Jordan et al. 2024); scaled to the size of AdamW's updates (Liu et al. 2025,
arXiv 2502.16982) it takes AdamW's learning rate, so that one rate and one schedule serve both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from spatialeval.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


class MuonWithAdamW(torch.optim.Optimizer):  # type: ignore[misc]  # untyped in torch
    """Two optimisers that a trainer sees as one: their groups, their steps and their states."""

    def __init__(self, matrices: torch.optim.Muon, others: torch.optim.AdamW) -> None:
        """Put the two together; they share their groups with this one, so that a schedule reaches both."""
        self.parts: tuple[torch.optim.Optimizer, ...] = (matrices, others)
        super().__init__(self._groups(), {})

    def _groups(self) -> list[dict[str, Any]]:
        return [group for part in self.parts for group in part.param_groups]

    def step(self, closure: Callable[[], float] | None = None) -> None:
        """Make one step of each."""
        if closure is not None:
            closure()
        for part in self.parts:
            part.step()

    def state_dict(self) -> dict[str, Any]:
        """Return the states of both."""
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the states of both."""
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self.param_groups = self._groups()  # each made new ones


def make_muon(model: torch.nn.Module, config: Any) -> MuonWithAdamW:
    """Return the optimiser of all weights of `model` that are trained, with TRL's arguments for AdamW.

    Raises:
        UsageError: where weights lie in parts on several devices, which Muon cannot orthogonalise.
    """
    if config.deepspeed or config.fsdp:
        raise UsageError("optimizer: muon needs whole matrices: leave it out under DeepSpeed and FSDP.")
    tables = {
        id(layer.weight) for layer in (model.get_input_embeddings(), model.get_output_embeddings()) if layer is not None
    }
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    matrices = [weight for weight in trained if weight.ndim == 2 and id(weight) not in tables]
    if not matrices:
        raise UsageError("optimizer: muon finds no matrix to train: freeze fewer weights, or leave it out.")
    taken = {id(weight) for weight in matrices}
    others = [weight for weight in trained if id(weight) not in taken]
    rate, decay = config.learning_rate, config.weight_decay
    betas = (config.adam_beta1, config.adam_beta2)
    return MuonWithAdamW(
        torch.optim.Muon(matrices, lr=rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=rate, betas=betas, eps=config.adam_epsilon, weight_decay=decay),
    )
