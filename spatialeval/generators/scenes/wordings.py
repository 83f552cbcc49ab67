"""Question wordings, one disjoint bank for training and one for testing; {a} and {b} are objects, {n} a number.

`ASK` questions want one of the kind's words (or a number); `CLAIM` questions want yes or no and exist once per word.
"""

from __future__ import annotations

LABELS: dict[str, tuple[str, ...]] = {
    "left_right": ("left", "right"),
    "above_below": ("above", "below"),
    "closer_farther": ("closer", "farther"),
    "bigger_smaller": ("bigger", "smaller"),
    "facing": ("left", "right", "toward the camera", "away from the camera"),
}

ASK: dict[str, dict[str, tuple[str, ...]]] = {
    "train": {
        "left_right": (
            "Is the {a} to the left or to the right of the {b}?",
            "Is the {a} to the right or to the left of the {b}?",
            "Is the {a} left or right of the {b}?",
            "Where is the {a} relative to the {b}, left or right?",
            "On which side of the {b} is the {a}, left or right?",
            "Looking at the picture, is the {a} on the left side or on the right side of the {b}?",
            "Compared to the {b}, is the {a} more to the right or more to the left?",
            "Left or right: where is the {a} with respect to the {b}?",
            "In this scene, does the {a} lie to the left or to the right of the {b}?",
            "Say whether the {a} is on the right or on the left of the {b}.",
        ),
        "above_below": (
            "Is the {a} above or below the {b}?",
            "Is the {a} below or above the {b}?",
            "Where is the {a} relative to the {b}, above or below?",
            "Looking at the picture, is the {a} placed above or below the {b}?",
            "Compared to the {b}, is the {a} below or above?",
            "Above or below: where is the {a} with respect to the {b}?",
            "In this scene, does the {a} lie above or below the {b}?",
            "Say whether the {a} is below or above the {b}.",
            "Vertically, is the {a} above the {b} or below it?",
        ),
        "closer_farther": (
            "Is the {a} closer to the camera or farther away than the {b}?",
            "Is the {a} farther from the camera or closer to it than the {b}?",
            "Is the {a} closer or farther than the {b}?",
            "All objects have the same true size. Is the {a} closer or farther than the {b}?",
            "Compared to the {b}, is the {a} farther or closer?",
            "Looking at the picture, is the {a} closer to us or farther from us than the {b}?",
            "Closer or farther: where is the {a} with respect to the {b}?",
            "Say whether the {a} is farther away or closer than the {b}.",
            "In depth, is the {a} closer or farther away than the {b}?",
        ),
        "bigger_smaller": (
            "Is the {a} bigger or smaller than the {b}?",
            "Is the {a} smaller or bigger than the {b}?",
            "In true size, is the {a} bigger or smaller than the {b}?",
            "Compared to the {b}, is the {a} smaller or bigger?",
            "Looking at the picture, is the {a} the bigger or the smaller one of it and the {b}?",
            "Bigger or smaller: what is the {a} with respect to the {b}?",
            "Say whether the {a} is smaller or bigger than the {b}.",
            "In this scene, does the {a} have a bigger or a smaller size than the {b}?",
        ),
        "count": (
            "How many {c} are there?",
            "How many {c} are in the picture?",
            "How many {c} do you see?",
            "Count the {c}.",
            "What is the number of {c} in this scene?",
            "Looking at the picture, how many {c} can be seen?",
            "Say how many {c} there are.",
            "Count all {c} here. How many are there?",
        ),
        "facing": (
            "Which way is the {a} facing?",
            "Which way does the {a} face?",
            "In which direction is the {a} facing?",
            "Where is the {a} looking: left, right, toward the camera or away from the camera?",
            "Is the {a} facing left, right, toward the camera or away from the camera?",
            "Looking at the picture, which way is the front of the {a} turned?",
            "Say which way the {a} is facing.",
            "What direction does the {a} look in?",
        ),
    },
    "test": {
        "left_right": (
            "In the picture, is the {a} located left or right of the {b}?",
            "Seen from the camera, is the {a} to the right or to the left of the {b}?",
            "Does the {a} appear on the left or on the right of the {b}?",
            "With respect to the {b}, is the {a} to the left or to the right?",
        ),
        "above_below": (
            "In the picture, is the {a} located above or below the {b}?",
            "Does the {a} appear below or above the {b}?",
            "With respect to the {b}, is the {a} above or below?",
        ),
        "closer_farther": (
            "Seen from the camera, is the {a} closer or farther than the {b}?",
            "Does the {a} lie farther from the camera than the {b}, or closer?",
            "With respect to the {b}, is the {a} closer to the camera or farther from it?",
        ),
        "bigger_smaller": (
            "Set against the {b}, is the {a} truly bigger or smaller?",
            "Judging by true size, is the {a} smaller or bigger than the {b}?",
            "In true size, is the {a} bigger or smaller with respect to the {b}?",
        ),
        "count": (
            "How many {c} does the picture show?",
            "In the scene, how many {c} are there?",
            "Please count the {c} in the picture.",
        ),
        "facing": (
            "Which direction is the {a} facing?",
            "In the picture, which way does the {a} look?",
            "What is the facing direction of the {a}?",
        ),
    },
}

# {r} is filled from RELATION, so that one frame serves every word of the kind.
CLAIM: dict[str, dict[str, tuple[str, ...]]] = {
    "train": {
        "pair": (
            "Is the {a} {r} the {b}?",
            "Is it true that the {a} is {r} the {b}?",
            "Would you say the {a} is {r} the {b}?",
            "Looking at the picture, is the {a} {r} the {b}?",
            "True or not: the {a} is {r} the {b}?",
            "Compared with the {b}: is the {a} {r} it?",
            "The {a} is {r} the {b}. Is that right?",
        ),
        "count": (
            "Are there exactly {n} {c}?",
            "Is the number of {c} {n}?",
            "Is it true that there are {n} {c}?",
            "Looking at the picture, do you count {n} {c}?",
            "Would you say there are {n} {c}?",
            "Do you see exactly {n} {c}?",
        ),
        "facing": (
            "Is the {a} facing {r}?",
            "Is it true that the {a} is facing {r}?",
            "Does the {a} face {r}?",
            "Looking at the picture, is the {a} facing {r}?",
            "Would you say the {a} looks {r}?",
            "The {a} is facing {r}. Is that right?",
        ),
    },
    "test": {
        "pair": (
            "In the picture, is the {a} {r} the {b}?",
            "Is it correct that the {a} is {r} the {b}?",
            "Can one say that the {a} is {r} the {b}?",
        ),
        "count": (
            "In the picture, are there exactly {n} {c}?",
            "Is it correct that there are {n} {c}?",
            "Does the picture show exactly {n} {c}?",
        ),
        "facing": (
            "In the picture, is the {a} facing {r}?",
            "Is it correct that the {a} faces {r}?",
            "Does the {a} look {r}?",
        ),
    },
}

RELATION: dict[str, dict[str, tuple[str, ...]]] = {
    "left": {"train": ("to the left of", "left of", "on the left of"), "test": ("to the left of",)},
    "right": {"train": ("to the right of", "right of", "on the right of"), "test": ("to the right of",)},
    "above": {"train": ("above", "placed above"), "test": ("above",)},
    "below": {"train": ("below", "placed below"), "test": ("below",)},
    "closer": {"train": ("closer than", "closer to the camera than"), "test": ("closer to the camera than",)},
    "farther": {"train": ("farther than", "farther from the camera than"), "test": ("farther from the camera than",)},
    "bigger": {"train": ("bigger than", "bigger in true size than"), "test": ("truly bigger than",)},
    "smaller": {"train": ("smaller than", "smaller in true size than"), "test": ("truly smaller than",)},
}

WORDINGS = tuple(ASK)
