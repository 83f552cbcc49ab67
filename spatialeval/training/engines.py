"""The reward modules of other engines, and how each engine is told about them."""

from __future__ import annotations

_HEAD = '''"""Rewards of the recipe {recipe}, stage {stage}.

spatialeval must be installed where this runs; rewards.json and rows.jsonl must lie beside it.
"""

from pathlib import Path

from spatialeval.training.exported import Rewards

REWARDS = Rewards.load(Path(__file__).parent)
'''

MODULES = {
    "verl": _HEAD
    + '''

def compute_score(data_source, solution_str, ground_truth, extra_info=None, **_):
    """Return the weighted sum as `score`, 0 where none applies, and each `reward_NAME`, NaN where it does not."""
    worth = REWARDS.worth([extra_info["row"]], [solution_str])[0]
    values = {{f"reward_{{name}}": float("nan") if value is None else value for name, value in worth.values.items()}}
    return {{"score": worth.total or 0.0, **values}}
''',
    "easyr1": _HEAD
    + '''
REWARD_NAME = "spatialeval"
REWARD_TYPE = "batch"


def compute_score(reward_inputs):
    """Return the weighted sum as `overall` and each `reward_NAME` that applies. With none, the sum is 0."""
    keys = [each["ground_truth"] for each in reward_inputs]
    texts = [each["response"] for each in reward_inputs]
    tokens = [each["response_length"] for each in reward_inputs]
    worths = REWARDS.worth(keys, texts, tokens)
    return [
        {{"overall": worth.total or 0.0, **{{f"reward_{{name}}": value for name, value in worth.applying.items()}}}}
        for worth in worths
    ]
''',
    "ms-swift": _HEAD.replace("import Path\n", "import Path\n\nfrom swift.rewards import ORM, orms\n")
    + '''
WEIGHTS = {weights}


def length(ids):
    """Return the number of tokens of a reply, whose turns may be lists of their own; None where nobody counted."""
    return sum(len(each) if isinstance(each, list) else 1 for each in ids) if ids else None


def reward_class(name):
    """Return the class of one reward; None where it does not apply."""

    class Reward(ORM):
        def __call__(self, completions, row, response_token_ids=None, **_):
            tokens = [length(ids) for ids in response_token_ids] if response_token_ids else None
            return [worth.values[name] for worth in REWARDS.worth(row, completions, tokens)]

    return Reward


for name in WEIGHTS:
    orms[f"spatialeval_{{name}}"] = reward_class(name)
''',
}
"""Engine -> the text of its module; formatted with the recipe, the stage and the weights."""

COMMANDS = {
    "verl": (
        "python3 -m verl.trainer.main_ppo algorithm.adv_estimator=grpo data.train_files={folder}/train.parquet "
        "custom_reward_function.path={folder}/reward.py custom_reward_function.name=compute_score ..."
    ),
    "easyr1": (
        "python3 -m verl.trainer.main config=examples/config.yaml data.train_files={folder}/train.parquet "
        "data.prompt_key=prompt data.answer_key=answer data.image_key=images data.format_prompt=null "
        "worker.reward.reward_function={folder}/reward.py:compute_score ..."
    ),
    "ms-swift": (
        "swift rlhf --rlhf_type grpo --dataset {folder}/train.jsonl --external_plugins {folder}/reward.py "
        "--reward_funcs {names} --reward_weights {weights} ..."
    ),
}
"""Engine -> the beginning of its command."""
