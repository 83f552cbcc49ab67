"""Train the tiny model from scratch on one CPU thread, in four resumable stages of a fixed number of steps.

vision: read colour, shape, size and facing words off each image token; all others: answer questions, of the kinds and
forms their entry in `lessons.MENUS` weighs. A flat stage hands its full learning rate to the next one.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from batches import MENUS, WORDS, Batcher, marks, normalise
from model import HIDDEN, build, save
from pool import build as build_pool
from transformers import AutoProcessor, LlavaForConditionalGeneration

BETAS, DECAY = (0.9, 0.98), 0.05
DENSE_WEIGHT = 0.3  # of the vision stage's loss while answering is learnt
SEEING = 0.2  # share of the rate that the tower and the projector get while answering is learnt


@dataclass(frozen=True)
class Stage:
    """A stage: steps, learning rates (AdamW; Muon for the decoder's matrices), and how its batches are made."""

    steps: int
    rate: float
    muon: float = 0.0
    images: int = 16
    questions: int = 5
    warm: float = 0.0  # share of the steps that only ask where things are
    maze_every: int = 0
    flat: bool = False  # no decay at the end, because the next stage goes on
    half: bool = False  # bfloat16 arithmetic on float32 weights: a quarter faster
    after: str = ""


STAGES = {
    "vision": Stage(steps=1400, rate=1.5e-3, images=64),
    "early": Stage(steps=1600, rate=2e-3, muon=4e-3, warm=0.1, after="vision"),
    "main": Stage(steps=800, rate=1.5e-3, muon=3e-3, flat=True, half=True, after="early"),
    "forms": Stage(steps=400, rate=2e-3, muon=4e-3, flat=True, half=True, after="main"),
    "claims": Stage(steps=600, rate=2e-3, muon=4e-3, flat=True, half=True, after="forms"),
    "options": Stage(steps=400, rate=2e-3, muon=4e-3, flat=True, half=True, after="claims"),
    "vary": Stage(steps=520, rate=1.5e-3, muon=3e-3, half=True, maze_every=5, after="options"),
}
SAVE_EVERY = 200


def rate_at(step: int, stage: Stage) -> float:
    """Share of the full rate: a short warm-up, then level; the last 40 % fall to 2 % unless the stage is flat."""
    fall = 1.0 if stage.flat else min(1.0, max(0.02, (1 - step / stage.steps) / 0.4))
    return min(1.0, (step + 1) / 60) * fall


class Course:
    """One stage in progress: the model, its optimisers, and how far it has come."""

    def __init__(self, name: str, out: Path, cache: Path, scenes: int) -> None:
        """Pick up the stage where it stopped, or start it from the stage before."""
        self.name, self.stage, self.folder = name, STAGES[name], out / name
        self.pool, pixels = build_pool(cache, "a", scenes)
        if self.stage.after:
            self.model = LlavaForConditionalGeneration.from_pretrained(out / self.stage.after)
            self.processor = AutoProcessor.from_pretrained(out / self.stage.after)
        else:
            self.model, self.processor = build(self.pool)
        self.pixels, self.targets, self.answer_loss = pixels, marks(self.pool), 0.0
        self.batcher = Batcher(self.processor.tokenizer, self.pool, pixels)
        torch.manual_seed(1)
        self.head = torch.nn.Linear(HIDDEN, 2)
        self.optimisers = self._optimisers()
        self.rates = [group["lr"] for optimiser in self.optimisers for group in optimiser.param_groups]
        self.step, self.seconds, self.average = 0, 0.0, 0.0
        if (self.folder / "state.pt").exists():
            state = torch.load(self.folder / "state.pt")
            self.model.load_state_dict(state["model"])
            self.head.load_state_dict(state["head"])
            for optimiser, kept in zip(self.optimisers, state["optimisers"], strict=True):
                optimiser.load_state_dict(kept)
            self.step, self.seconds, self.average = state["step"], state["seconds"], state["average"]
        self.model.train()

    def _optimisers(self) -> list[torch.optim.Optimizer]:
        if self.name == "vision":
            weights = [
                *self.model.model.vision_tower.parameters(),
                *self.model.model.multi_modal_projector.parameters(),
                *self.head.parameters(),
                self.model.get_input_embeddings().weight,
            ]
            return [torch.optim.AdamW(weights, lr=self.stage.rate, betas=BETAS, weight_decay=DECAY)]
        seeing = [*self.model.model.vision_tower.parameters(), *self.model.model.multi_modal_projector.parameters()]
        decoder = self.model.model.language_model.named_parameters()
        matrices = [weight for name, weight in decoder if weight.ndim == 2 and "embed" not in name]
        taken = {id(weight) for weight in (*seeing, *matrices)}
        others = [weight for weight in self.model.parameters() if id(weight) not in taken]
        groups = [{"params": [*others, *self.head.parameters()]}, {"params": seeing, "lr": SEEING * self.stage.rate}]
        return [
            torch.optim.AdamW(groups, lr=self.stage.rate, betas=BETAS, weight_decay=DECAY),
            torch.optim.Muon(matrices, lr=self.stage.muon, weight_decay=DECAY, adjust_lr_fn="match_rms_adamw"),
        ]

    def run(self) -> None:
        """All remaining steps, then the stage's checkpoint."""
        started = time.process_time() - self.seconds
        while self.step < self.stage.steps:
            rng = random.Random(f"tiny {self.name} {self.step}")
            loss = self._dense(rng) if self.name == "vision" else self._answering(rng)
            self._update(loss)
            current = loss.item() if self.name == "vision" else self.answer_loss
            self.average = 0.97 * self.average + 0.03 * current if self.step > 1 else current
            self.seconds = time.process_time() - started
            if self.step % 50 == 0:
                print(f"{self.name} step {self.step} cpu {self.seconds:.0f} s loss {self.average:.4f}", flush=True)
            if self.step % SAVE_EVERY == 0:
                self._keep()
        save(self.model, self.processor, self.folder, torch.float32)
        log = {
            "stage": self.name,
            "cpu_seconds": round(self.seconds),
            "loss": round(self.average, 4),
            **asdict(self.stage),
        }
        (self.folder / "stage.json").write_text(json.dumps(log, indent=1) + "\n")

    def _update(self, loss: torch.Tensor) -> None:
        groups = [group for optimiser in self.optimisers for group in optimiser.param_groups]
        for group, rate in zip(groups, self.rates, strict=True):
            group["lr"] = rate * rate_at(self.step, self.stage)
        self.model.zero_grad()
        self.head.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
        self.step += 1

    def _keep(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        state = {
            "model": self.model.state_dict(),
            "head": self.head.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "step": self.step,
            "seconds": self.seconds,
            "average": self.average,
        }
        torch.save(state, self.folder / "state.new")
        (self.folder / "state.new").replace(self.folder / "state.pt")

    def _dense(self, rng: random.Random) -> torch.Tensor:
        chosen = [rng.randrange(len(self.pool)) for _ in range(self.stage.images)]
        pixels = normalise(self.pixels[chosen], rng)
        tower = self.model.model.vision_tower(pixels, output_hidden_states=True).hidden_states[-1][:, 1:]
        return self._named(self.model.model.multi_modal_projector(tower), chosen)

    def _named(self, tokens: torch.Tensor, chosen: list[int]) -> torch.Tensor:
        """Each image token must lie near the words for what it shows, in the decoder's own tied embedding table."""
        table = self.model.get_input_embeddings().weight
        nothing = self.batcher.encode(" the")[0]
        solid = self.targets.words["color"][chosen] > 0
        loss = 4 * ((self.head(tokens) - self.targets.places[chosen])[solid] ** 2).mean()
        right = solid.clone()
        for attribute, words in WORDS.items():
            ids = [nothing, *(self.batcher.encode(f" {word}")[0] for word in words)]
            scores, truth = tokens @ table[ids].T, self.targets.words[attribute][chosen]
            if attribute in {"size", "facing"}:  # known only for some solids
                known = truth > 0
                loss = loss + torch.nn.functional.cross_entropy(scores[..., 1:][known], truth[known] - 1)
                right &= ~known | (scores[..., 1:].argmax(-1) + 1 == truth)
            else:
                weight = torch.ones(len(ids))
                weight[0] = 0.1
                loss = loss + torch.nn.functional.cross_entropy(scores.flatten(0, 1), truth.flatten(), weight=weight)
                right &= scores.argmax(-1) == truth
        if self.step % 100 == 99:
            print(f"{self.name}: all words right on {right.sum() / solid.sum():.1%} of the solids", flush=True)
        return loss

    def _answering(self, rng: random.Random) -> torch.Tensor:
        """Cross-entropy of the reply tokens, plus the dense loss: without it the image tokens forget shape and size."""
        stage = self.stage
        if stage.maze_every and self.step % stage.maze_every == 0:
            batch = self.batcher.mazes(rng, 6, 8)
        else:
            menu = MENUS["locate" if self.step < stage.warm * stage.steps else self.name]
            batch = self.batcher.scenes(rng, stage.images, stage.questions, menu)
        labelled = batch.labels[:, 1:] >= 0
        with torch.autocast("cpu", torch.bfloat16, enabled=stage.half):
            outputs = self.model.model(**batch.inputs, use_cache=False)
            logits = self.model.lm_head(outputs.last_hidden_state[:, :-1][labelled]).float()
        loss = torch.nn.functional.cross_entropy(logits, batch.labels[:, 1:][labelled])
        self.answer_loss = loss.item()
        if not batch.chosen:
            return loss
        tokens = torch.as_tensor(outputs.image_hidden_states).float().view(len(batch.chosen), -1, HIDDEN)
        return loss + DENSE_WEIGHT * self._named(tokens, batch.chosen)


def main() -> None:
    """Run one stage, or all of them in order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the stages' checkpoints")
    parser.add_argument("--cache", type=Path, help="folder for the rendered pool (default: inside --out)")
    parser.add_argument("--stage", choices=[*STAGES, "all"], default="all")
    parser.add_argument("--scenes", type=int, default=20_000, help="size of the pool")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in STAGES if options.stage == "all" else [options.stage]:
        if not (options.out / name / "stage.json").exists():
            Course(name, options.out, options.cache or options.out / "pool", options.scenes).run()


if __name__ == "__main__":
    main()
