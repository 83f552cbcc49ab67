"""The strict readers: the regression list of replies that harnesses misread, and their own rules."""

# ruff: noqa: RUF001  # the look-alike characters are what is tested
from __future__ import annotations

import pytest

from spatialeval.grading import Grader
from spatialeval.readers import READERS
from spatialeval.samples import Sample
from spatialeval.scorers import SCORERS
from spatialeval.scores import Failure

FURNITURE = ("a red chair", "a lamp", "a table", "a blue sofa")
SIDES = ("left", "right")
SEVEN = tuple(f"object {name}" for name in ("one", "two", "three", "four", "five", "six", "seven"))
RELATIONS = ("overlap", "above", "below", "left", "right", "upper-left", "upper-right", "lower-left", "lower-right")


def choice(*choices):
    return Sample("s", "choice", "Which one?", "A", choices=choices or FURNITURE)


def number(unit=None):
    return Sample("s", "number", "How many?", 1.0, meta={"unit": unit} if unit else {})


def read(name, text, sample):
    return READERS.get(name)()(text, sample)


@pytest.mark.parametrize(
    ("text", "choices", "letter"),
    [
        ("A chair is to the left of the table.", ("a lamp", "a sofa", "a bed"), None),
        ("<think>maybe A</think>\nB", FURNITURE, "B"),
        ("I think it is B, not C.", FURNITURE, "B"),
        ("The correct option is C: A red chair", ("a lamp", "a bed", "A red chair"), "C"),
        ("The correct option is C: A red chair", FURNITURE, "C"),
        ("G", SEVEN, "G"),
        ("A chair is to the left of the table. (A = left)", SIDES, "A"),
        ("A chair is to the left of the table.", SIDES, "A"),
        ("The answer is (C) because A is farther.", FURNITURE, "C"),
        ("It is not left; it is right", SIDES, "B"),
        ("(B)", FURNITURE, "B"),
        ("**B**", FURNITURE, "B"),
        ("B) chair", FURNITURE, "B"),
        ("The answer is B", FURNITURE, "B"),
        ("Answer: B", FURNITURE, "B"),
        ("B\nbecause", FURNITURE, "B"),
        ("Based on the image, C", FURNITURE, "C"),
        ("It is a chair on the left, so C", ("right", "left", "behind"), "C"),
        ("I think a mug is on the left", FURNITURE, None),
        ("Based on a careful look", FURNITURE, None),
        ("<answer>B</answer> It is not like D. at all.", FURNITURE, "B"),
        ("<Answer>B</Answer>", FURNITURE, "B"),
        ("I am sorry, I cannot tell.", FURNITURE, None),
        ("It is on a chair.", ("x", "y"), None),
        ("<answer>\nB\n</answer>", FURNITURE, "B"),
        ("<think>A it is", FURNITURE, None),
        ("Let's think step by step. Chair A is far. Therefore, the answer is B.", FURNITURE, "B"),
    ],
)
def test_regression_list_of_choices_is_read_as_it_should_be(text, choices, letter):
    assert read("strict_choice", text, choice(*choices)).value == letter


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("1,200 square meters", "m^2", 1200),
        ("1,200 square meters", None, 1200),
        ("1,200", None, 1200),
        ("The room is 12.5m x 8m, so 100 m^2", "m^2", 100),
        ("The room is 12.5m x 8m, so 100 m^2", None, 100),
        ("I count 2 sofas and 1 chair, so 3 in total", None, 3),
        ("I cannot measure it.", "m", None),
        ("between 2 and 3 meters", "m", None),
        ("0", "m", 0),
    ],
)
def test_regression_list_of_numbers_is_read_as_it_should_be(text, unit, value):
    assert read("strict_number", text, number(unit)).value == value


def test_a_path_without_a_think_tag_is_read_and_so_is_one_after_it():
    sample = Sample("s", "path", "Solve", "<|up|>")
    assert read("strict_path", "<|up|><|left|>", sample).value == ("up", "left")
    assert read("strict_path", "<think><|down|></think><|up|><|left|>", sample).value == ("up", "left")


def test_two_unread_values_are_no_match():
    grader = Grader({"choice": READERS.get("strict_choice")()}, {"choice": SCORERS.get("accuracy")()})
    score = grader.grade(Sample("s", "choice", "q", "G", choices=SEVEN), "I do not know")
    assert (score.value, score.state) == (0.0, "unparsed")


def test_a_failure_is_no_text_that_a_reader_could_see():
    assert not hasattr(Failure("server_error", "gave up after 5 retries"), "value")


@pytest.mark.parametrize(
    ("text", "letter", "rule"),
    [
        ("b.", "B", "lone letter"),
        ("a", "A", "lone letter"),
        ("（Ｂ）", "B", "lone letter"),
        ("B. a lamp", "B", "letter and its text"),
        ("The red chair.", "A", "option text"),
        ("It is the lamp", "B", "option text"),
        ("The answer is A. Wait, no, the answer is B.", "B", "statement"),
        ("The answer is not A but B", "B", "statement"),
        ("The answer is a.", "A", "statement"),
        ("Final answer\n\nB", "B", "statement"),
        ("I would choose C.", "C", "statement"),
        ("A and B differ, $\\boxed{\\text{C}}$", "C", "boxed"),
        ("A and B differ: **C**", "C", "bold"),
        ("(C) because A is farther", "C", "leading letter"),
        ("(A) the first\n(B) the second\n\nTherefore, the most similar is:\n(B) the second", "B", "conclusion"),
        ("Neither A nor B; C", "C", "only letter"),
        ("A: is wrong. C: is wrong. It must be D", "D", "only letter"),
        ("<answer>B", "B", "open answer tag, lone letter"),
        ("it must be so</think>B", "B", "lone letter"),
        ("A or B", None, "two letters"),
        ("Answer: A or B", None, "two letters"),
        ("**A.** left\n**B.** right", None, "two letters"),
        ("the lamp or the table", None, "two letters"),
        ("Box A more accurately encloses the kite. Box B, on the other hand, is too large.", None, "two letters"),
        ("Let's look at each option:\n\n- **Option A**: a bend\n- **Option B**: a line", None, "two letters"),
        ("So the answer to this question is: (A) one (B) two (C) three", None, "two letters"),
        ("the answer is (A) the second image or (B) the third image.", None, "two letters"),
        ("None of the options A or B fits", None, "no letter"),
        ("A is farther. So the answer is:\n\n**(B) the second image**", "B", "statement"),
        ("<s> A</s>", "A", "lone letter"),
        ("<b>C</b>", "C", "only letter"),
        ("F", None, "no valid letter"),
        ("The answer is F.", None, "no valid letter"),
        ("T-shirt", None, "no letter"),
        ("I'm not sure", None, "no letter"),
        ("<think>B", None, "unclosed thought"),
    ],
)
def test_each_rule_of_choices_says_its_name(text, letter, rule):
    reading = read("strict_choice", text, choice())
    assert (reading.value, reading.rule) == (letter, rule)


def test_options_that_contain_each_other_are_told_apart():
    assert read("strict_choice", "It is upper left.", choice("left", "upper left")).value == "B"
    assert read("strict_choice", "There are 3 chairs, 30 cm apart", choice("2", "3", "300")).value == "B"
    assert read("strict_choice", "Point B is closer.", choice("A is closer", "B is closer")).value == "B"
    assert read("strict_choice", "A is closer.", choice("A is closer", "B is closer")).value == "A"


def test_the_pronoun_is_an_option_only_where_it_stands_alone():
    ten = choice(*(f"item {index}" for index in range(10)))
    assert read("strict_choice", "I", ten).value == "I"
    assert read("strict_choice", "I see ten things", ten).value is None


def test_only_a_closed_answer_tag_marks_an_answer_as_complete():
    assert read("strict_choice", "<answer>B</answer> and then some more", choice()).complete
    assert not read("strict_choice", "The answer is B", choice()).complete
    assert not read("strict_choice", "<answer>B", choice()).complete


def test_the_last_filled_answer_tag_wins():
    text = "I answer in <answer></answer>. <answer>A</answer> No: <ANSWER>b</ANSWER><answer> </answer>"
    assert read("strict_choice", text, choice()).value == "B"


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("150 cm", "m", 1.5),
        ("1.5 meters.", "m", 1.5),
        ("7 cm", "meters", 0.07),
        ("5 feet (1.5 m)", "m", 1.5),
        ("5 feet 10 inches", "m", 1.778),
        ("10 m²", "square meters", 10),
        ("100 m", "m2", None),
        ("2\n(m)", "m", 2),
        ("3 in total", "inch", 3),
        ("The distance between the 2 chairs is 1.5 meters", "m", 1.5),
        ("It is approximately 2.5 meters; the sofa is 90 cm high", "m", 2.5),
        ("$1.5\\,\\text{m}$", "m", 1.5),
        ("2 chairs", "chairs", 2),
    ],
)
def test_numbers_are_converted_to_the_unit_that_is_asked(text, unit, value):
    assert read("strict_number", text, number(unit)).value == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.6.", 0.6),
        ("−3.5", -3.5),
        ("1.2e3", 1200),
        ("1.2 × 10^3", 1200),
        ("1\u202f200", 1200),
        ("three", 3),
        ("Twenty-one chairs", 21),
        ("a hundred and five", 105),
        ("1/2", 0.5),
        ("2½", 2.5),
        ("2 + 1 = 3", 3),
        ("**3** of 5", 3),
        ("There are 3 chairs in total, 2 of them red", 3),
        ("The answer is 3 because there are 2 sofas and 1 chair.", 3),
        ("1. a sofa\n2. a chair\nTotal: 2", 2),
        ("frame 3 shows 2 chairs", 2),
        ("3 ± 0.5", 3),
        ("2-3", None),
        ("2 or 3", None),
        ("the answer is 2 to 3", None),
        ("1,2", None),
        ("one of the chairs", None),
        ("a 3D scan", None),
        ("9" * 400, None),
    ],
)
def test_numbers_in_many_writings_are_read(text, value):
    assert read("strict_number", text, number()).value == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Yes", "yes"),
        ("no.", "no"),
        ("I notice a red bus, yes.", "yes"),
        ("I notice it", None),
        ("No, there is not.", "no"),
        ("No it isn't", "no"),
        ("There is no cat", None),
        ("no, ... yes", None),
        ("Yes or no? The answer is yes.", "yes"),
        ("Yes, the cat is left. There is no dog.", "yes"),
        ("**No**", "no"),
        ("True", "yes"),
        ("This is false.", "no"),
        ("It is not clear.", None),
    ],
)
def test_yes_and_no_are_read_as_words_that_answer(text, value):
    assert read("strict_yesno", text, Sample("s", "yesno", "q", "yes")).value == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Upper Left.", "upper-left"),
        ("upper_left", "upper-left"),
        ("It is not left; it is right", "right"),
        ("neither left nor right but above", "above"),
        ("A is above B. B is left of C. Answer: upper-left", "upper-left"),
        ("A is to the left and above, so upper-left", "upper-left"),
        ("W is to the lower-left of O, as far as I see.\nAnswer: unknown", None),
        ("W is to the left.\nAnswer:", "left"),
        ("on the left-hand side", "left"),
        ("bottom-right", None),
        ("Top right.", None),
        ("left or right", None),
        ("somewhere", None),
    ],
)
def test_labels_are_read_longest_first_and_without_the_denied_ones(text, value):
    assert read("strict_label", text, Sample("s", "label", "q", "left", labels=RELATIONS)).value == value


@pytest.mark.parametrize(
    ("text", "moves"),
    [
        ("<|down|> <|right|>", ("down", "right")),
        ("I go right and then down: <|right|><|down|>", ("right", "down")),
        ("<|up|> is wrong. <|down|><|left|>", ("down", "left")),
        ("Move up, then right.", ("up", "right")),
        ("1. up\n2. down", ("up", "down")),
        ('["up", "right"]', ("up", "right")),
        ("up → right → up", ("up", "right", "up")),
        ("↑ ← ↓", ("up", "left", "down")),
        ("left", ("left",)),
        ("Answer: left", ("left",)),
        ("The target is on the left.", None),
        ("I cannot solve it.", None),
    ],
)
def test_paths_are_the_last_run_of_moves(text, moves):
    assert read("strict_path", text, Sample("s", "path", "q", "<|up|>")).value == moves
