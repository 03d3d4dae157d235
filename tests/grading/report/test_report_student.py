"""The page of one student: every question, what happened, what to do, how to repeat it."""

import random

import pytest
from _fake_results import STATUSES, fake_question, fake_result


@pytest.fixture
def told(report):
    """Return a function that gives the text of a page about one question."""

    def made(status: str, **changes) -> str:
        question = fake_question(random.Random(0), "hw1-q1", status) | changes
        return report(a=fake_result(1, "A", status="graded", questions=[question]))["a"].text

    return made


def test_points_stand_on_top(student_pages):
    text = student_pages["sub_0005"].text
    assert "Homework hw1 Ivanova Anna 8 of 20 points" in text


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("graded", "Graded."),
        ("check by hand", "a person looks at it once more. The points below count."),
        ("not graded", "Not graded. This is no zero: there are no points yet."),
    ],
)
def test_outcome_is_said_with_its_reason(report, status, sentence):
    text = report(a=fake_result(1, "A", status=status, reason="Because of this."))["a"].text
    assert sentence in text and "Because of this." in text


def test_not_graded_shows_no_points(report):
    text = report(a=fake_result(1, "A", status="not graded"))["a"].text
    assert "No points yet." in text and "of 20 points" not in text


def test_question_says_status_points_and_message(told):
    assert "hw1-q1: Tempered softmax ◐ partly, 2 of 3 points 2 of 3 cases are right" in told(
        "partly"
    )


@pytest.mark.parametrize(
    ("status", "means", "advice"),
    [
        ("not answered", "left as it was handed out", "raised NotImplementedError"),
        ("error", "stopped with an error", "Restart the kernel"),
        ("timed out", "longer than this question allows", "a loop that never ends"),
        ("crashed", "ended before it could answer", "exit()"),
        ("out of memory", "more memory than this question allows", "arrays that grow"),
    ],
)
def test_what_went_wrong_is_said_with_what_to_do(told, status, means, advice):
    text = told(status)
    assert means in text and advice in text


def test_right_answer_needs_no_advice(told):
    assert "all cases are right Cases: 3 of 3 right" in told("right")


def test_advice_on_the_call_needs_a_call(told):
    assert "Make the call below" in told("wrong")
    assert "Make the call below" not in told("wrong", case="")


@pytest.mark.parametrize("case", ["f([1, ..., 9])", "f([1, \u2026])", "f(" + "1, " * 3000 + ")"])
@pytest.mark.parametrize("status", ["wrong", "partly"])
def test_shortened_call_is_said_to_be_short(told, status, case):
    text = told(status, case=case)
    assert "The call is shown shortened." in text
    assert "Make the call below" not in text and "shown in full" not in text


def test_whole_call_is_not_said_to_be_short(told):
    assert "shortened" not in told("wrong")


def test_answer_with_a_cause_was_not_left_as_handed_out(told):
    text = told("not answered", cause="The last line has no return.")
    assert "The last line has no return." in text
    assert "left as it was handed out" not in text and "NotImplementedError" not in text


def test_what_is_run_is_said_of_an_error(told):
    said = (
        "The answer cells, the first imports and, where they are needed, cells of your own are "
        "run when graded."
    )
    assert said in told("error")


def test_expected_and_got_stand_beside_the_call(told):
    values = {"case": "f(2)", "expected": "[4.0]", "got": "[2.0]"}
    text = told("wrong", **values, mistake="no square", cause="It is not squared.")
    shown = "the call f(2) what was expected [4.0] what came [2.0] likely cause no square: It is"
    assert shown in text


def test_lines_of_an_array_stay_aligned(student_pages):
    assert "6652],\n        [0.0900" in student_pages["sub_0000"].source


def test_mistake_without_a_cause_is_named(told):
    assert "likely cause logits doubled" in told("wrong", mistake="logits doubled", cause="")


def test_cases_are_listed_with_their_share(told):
    cases = [
        {"name": "one row", "weight": 1.0, "right": True, "message": ""},
        {"name": "large T", "weight": 3.0, "right": False, "message": "differs by 2"},
    ]
    text = told("partly", cases=cases)
    assert "Cases: 1 of 2 right" in text
    assert "one row ✓ right 25 % large T ✗ wrong 75 % differs by 2" in text


def test_no_case_is_called_wrong_where_nothing_was_answered(told):
    cases = [{"name": "one row", "weight": 1.0, "right": False, "message": ""}]
    assert "Cases:" not in told("not answered", cases=cases)
    assert "Cases: 0 of 1 right" in told("not answered", cases=cases, cause="No return.")


def test_output_is_folded_in(report):
    question = fake_question(random.Random(0), "hw1-q1", "right", output="epoch 1\nepoch 2\n")
    page = report(a=fake_result(1, "A", status="graded", questions=[question]))["a"]
    assert "What your code printed epoch 1 epoch 2" in page.text
    assert "epoch 1\nepoch 2" in page.source and len(page.all("details")) == 2


def test_no_output_is_no_fold(told):
    assert "printed" not in told("right", output="")


@pytest.mark.parametrize(
    ("whose", "status", "sentence"),
    [
        ("own", "right", ""),
        ("own", "wrong", "Graded with your own answer to hw1-q1 (Tempered softmax)."),
        (
            "reference",
            "wrong",
            "Graded with the reference's answer to hw1-q1 (Tempered softmax), since yours is not "
            "right: a mistake there costs no points here.",
        ),
        (
            "reference",
            "right",
            "Graded with the reference's answer to hw1-q1 (Tempered softmax): a mistake there",
        ),
    ],
)
def test_whose_answer_was_built_on_is_said_where_it_matters(report, whose, status, sentence):
    result = fake_result(1, "A", status="graded")
    dice = random.Random(0)
    asked = [fake_question(dice, "hw1-q1", status), fake_question(dice, "hw1-q3", "right")]
    asked[1]["uses"] = {"hw1-q1": whose}
    text = report(a=result | {"questions": asked})["a"].text
    assert sentence in text
    assert text.count("Graded with") == bool(sentence)


def test_answer_to_an_unknown_question_is_not_called_wrong(told):
    text = told("right", uses={"hw1-q0": "reference"})
    assert "Graded with the reference's answer to hw1-q0: a mistake" in text


def test_notes_are_listed(report):
    assert "Notes One. Two." in report(a=fake_result(1, "A", notes=["One.", "Two."]))["a"].text


def test_grade_can_be_repeated(report):
    page = report(key_7=fake_result(1, "A", seed=1234, digest="ab" * 32))["key_7"]
    assert "python -m kdlab.grading regrade GRADES --student key_7" in page.text
    assert "seed 1234" in page.text and "ab" * 32 in page.text
    assert "kdlab 0.1, python 3.11.7, torch 2.15.0, numpy 2.1.0" in page.text
    assert "graded 2026-11-21 07:01 UTC, in " in page.text


def test_folders_of_the_file_are_not_shown(report):
    for path in ("/srv/ta/Petrov/hw1.ipynb", "C:\\ta\\Petrov\\hw1.ipynb"):
        text = report(a=fake_result(1, "A", file=path))["a"].text
        assert "file hw1.ipynb" in text and "Petrov" not in text


def test_overview_links_to_every_question(student_pages):
    page = student_pages["sub_0000"]
    assert [href for href in page.values("href")] == [f"#question-{i}" for i in range(1, 6)]


def test_nameless_submission_goes_by_its_key(report):
    assert "Homework hw1 key_7" in report(key_7=fake_result(1, " "))["key_7"].text


def test_card_has_the_colour_of_its_status(report):
    for status in STATUSES:
        question = fake_question(random.Random(0), "hw1-q1", status)
        page = report(a=fake_result(1, "A", status="graded", questions=[question]))["a"]
        [card] = page.all("article")
        signs = [a["class"] for a in page.all("span") if "sign" in a.get("class", "")]
        assert card["class"].split()[1] == signs[0].split()[1]


def test_submission_without_a_file_shows_no_digest(report):
    page = report(a=fake_result(1, "A", status="not graded", digest=""))["a"]
    assert "SHA-256" not in page.text
