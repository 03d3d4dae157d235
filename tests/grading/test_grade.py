"""One submission from its bytes to its result: fair points, true words, statuses."""

import json
import sys
from dataclasses import replace

import pytest
from _small_homework import RIGHT, SMALL, STUBS, data, notebook, release, variance

from kdlab.grading.grade import Handed, grade
from kdlab.grading.intake import PASSED_OVER
from kdlab.grading.judge import seed_for
from kdlab.grading.records import without_times
from kdlab.grading.sandbox.box import Sandbox
from kdlab.grading.sandbox.spawned import SpawnLane

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")


@pytest.fixture(scope="module")
def lane():
    with Sandbox(("numpy",)) as box:
        yield box.lanes[0]


@pytest.fixture
def graded(lane):
    def grade_one(content: bytes | None = None, *, seed: int = 5, **answers: str) -> dict:
        content = data(**answers) if content is None else content
        handed = Handed("Anna", "anna", "anna.ipynb", ("a note",), content, "", seed)
        return grade(handed, SMALL, release(), lane, "walls")

    return grade_one


def question(result: dict, number: int) -> dict:
    return result["questions"][number - 1]


def test_right_answers_get_everything(graded):
    result = graded()
    assert (result["status"], result["points"], result["maximum"]) == ("graded", 12, 12)
    assert [row["status"] for row in result["questions"]] == ["right"] * 3
    assert result["notes"] == ["a note"] and result["seed"] == 5 and len(result["digest"]) == 64


def test_the_same_seed_gives_the_same_result(graded):
    first, second = (graded(q1="def mean(x): return x.max()") for _ in range(2))
    assert without_times(first) == without_times(second)
    assert graded(q1="def mean(x): return x.max()", seed=6) != first


@pytest.mark.parametrize(
    "answer",
    [
        "def mean(x):\n    total = 0.0\n    for value in x: total += value\n    return total / 6",
        "def mean(x): return np.einsum('i->', x) / 6",
        "def mean(x): return np.float64(sum(x.tolist()) / x.size)",
        "def mean(x): return float(np.average(x))",
        "mean = np.mean",
        "class M:\n    def __call__(self, x): return x.mean()\nmean = M()",
        "def mean(x, *, axis=None): return np.mean(x, axis=axis)",
    ],
)
def test_right_is_right_in_any_style(graded, answer):
    assert question(graded(q1=answer), 1)["points"] == 4


def test_points_are_shared_out_by_weight(graded):
    answer = "seen = []\ndef mean(x):\n    seen.append(1)\n    return x.mean() * (len(seen) == 2)"
    row = question(graded(q1=answer), 1)
    assert (row["status"], row["points"]) == ("partly", 3)
    assert [case["right"] for case in row["cases"]] == [False, True]


def test_what_came_is_told_with_the_mistake(graded):
    row = question(graded(q2="def variance(x): return x.var(ddof=1)"), 2)
    assert (row["status"], row["points"], row["mistake"]) == ("wrong", 0, "unbiased")
    assert row["cause"] == "This divides by n - 1."
    assert row["case"].startswith("the first: variance(x=[") and row["expected"] != row["got"]


def test_a_factor_is_told_where_no_mistake_fits(graded):
    row = question(graded(q1="def mean(x): return 3 * x.mean()"), 1)
    assert (row["mistake"], row["cause"]) == ("", "Each value is 3 times the expected one.")


def test_a_later_answer_is_graded_with_the_student_s_own_earlier_one(graded):
    row = question(graded(), 2)
    assert row["uses"] == {"small-q1": "own"}


def test_an_earlier_answer_that_is_not_called_is_not_named(graded):
    alone = "def variance(x):\n    return ((x - x.sum() / len(x)) ** 2).sum() / len(x)"
    row = question(graded(q1="def mean(x): return x.max()", q2=alone), 2)
    assert (row["status"], row["uses"]) == ("right", {})


def test_an_earlier_answer_that_a_helper_calls_is_named(graded):
    helped = "def centred(x):\n    return x - mean(x)\n\n"
    helped += "def variance(x):\n    return (centred(x) ** 2).sum() / len(x)"
    row = question(graded(q1="def mean(x): return x.max()", q2=helped), 2)
    assert (row["status"], row["uses"]) == ("right", {"small-q1": "reference"})


def test_a_wrong_earlier_answer_is_not_punished_twice(graded):
    result = graded(q1="def mean(x): return x.max()")
    assert question(result, 1)["points"] == 0
    assert question(result, 2)["status"] == "right"
    assert question(result, 2)["uses"] == {"small-q1": "reference"}


def test_a_missing_earlier_answer_is_not_punished_twice(graded):
    result = graded(q1=STUBS["small-q1"])
    assert [row["status"] for row in result["questions"]] == ["not answered", "right", "right"]


def test_a_wrong_answer_over_a_wrong_one_stays_wrong(graded):
    result = graded(q1="def mean(x): return 0.0", q2="def variance(x): return mean(x) + 1")
    assert question(result, 2)["points"] == 0


def test_an_answer_that_needs_an_earlier_cell_s_helper_gets_it(graded):
    result = graded(
        q1="def centre(x): return x - x.mean()\ndef mean(x): return x.mean()",
        q2="def variance(x): return (centre(x) ** 2).mean()",
    )
    assert result["points"] == 12


def test_a_cell_that_ends_the_process_harms_only_itself(graded):
    result = graded(q1="import os\nos._exit(0)")
    assert [row["status"] for row in result["questions"]] == ["crashed", "right", "right"]
    assert result["status"] == "check by hand"
    assert result["reason"].startswith("small-q1 crashed: the process ended before the answer")


def test_a_loop_is_a_time_out(graded):
    row = question(graded(q3="def guess(x):\n    while True: pass"), 3)
    assert (row["status"], row["points"]) == ("timed out", 0)
    assert row["message"] == "took longer than 2 s for this question"


@pytest.mark.parametrize(
    ("offset", "status", "points"), [(0.25, "right", 4), (0.1, "partly", 2), (2, "wrong", 0)]
)
def test_a_measured_answer_gets_its_level(graded, offset, status, points):
    row = question(graded(q3=f"def guess(x): return x - {offset}"), 3)
    assert (row["status"], row["points"]) == (status, points)


def test_a_measured_answer_of_the_wrong_form_is_told(graded):
    row = question(graded(q3="def guess(x): return 'far'"), 3)
    assert row["message"] == "returned a str: expected 6 numbers"


def test_a_deleted_answer_is_told(graded):
    whole = notebook()
    whole["cells"] = [cell for cell in whole["cells"] if cell["id"] != "small-q3"]
    row = question(graded(json.dumps(whole).encode()), 3)
    assert (row["status"], row["message"]) == ("not answered", "the answer cell is missing")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"nbformat": 4}'])
def test_what_can_not_be_read_is_not_graded_and_not_zero(graded, content):
    result = graded(content)
    assert (result["status"], result["points"], result["questions"]) == ("not graded", None, [])
    assert result["reason"].endswith(".")


def test_a_reason_from_the_intake_is_kept(lane):
    handed = Handed("Anna", "anna", "a.pdf", (), b"", "Anna handed in a.pdf, no notebook.", 1)
    assert grade(handed, SMALL, release(), lane, "walls")["reason"] == handed.reason


def test_without_walls_the_grade_says_so():
    handed = Handed("Anna", "anna", "a.ipynb", (), data(q2=RIGHT["small-q2"]), "", 1)
    result = grade(handed, SMALL, release(), SpawnLane(("numpy",)), "unisolated: why")
    assert result["points"] == 12 and result["isolation"] == "unisolated: why"


def test_an_earlier_answer_that_is_right_is_not_replaced(lane):
    third = replace(SMALL.questions[1], id="small-q4", uses=("small-q1", "small-q3"))
    homework = replace(SMALL, questions=(*SMALL.questions, third))
    whole = notebook(q3="def guess(x): return x")
    answer = "def variance(x): return ((x - mean(x)) ** 2).mean() + 0 * guess(x).sum() + unknown"
    for cell in whole["cells"]:
        if cell["id"] == "small-q2":
            copied = json.loads(json.dumps(cell).replace("small-q2", "small-q4"))
    copied["source"] = answer
    whole["cells"].append(copied)
    handed = Handed("Anna", "anna", "a.ipynb", (), json.dumps(whole).encode(), "", 5)
    row = grade(handed, homework, release(), lane, "walls")["questions"][3]
    assert row["status"] == "error"
    right = answer.replace(" + unknown", " if guess(x)[0] != x[0] else 1 / 0")
    copied["source"] = right
    handed = Handed("Anna", "anna", "a.ipynb", (), json.dumps(whole).encode(), "", 5)
    row = grade(handed, homework, release(), lane, "walls")["questions"][3]
    assert row["uses"] == {"small-q1": "own", "small-q3": "reference"}
    assert row["status"] == "right"


def test_an_earlier_answer_that_another_one_calls_is_named(lane):
    third = replace(SMALL.questions[1], id="small-q4", uses=("small-q1", "small-q2"))
    third = replace(third, signature="spread(x) -> number", reference=variance)
    homework = replace(SMALL, questions=(*SMALL.questions, third))
    whole = notebook()
    [cell] = [cell for cell in whole["cells"] if cell["id"] == "small-q2"]
    copied = json.loads(json.dumps(cell).replace("small-q2", "small-q4"))
    copied["source"] = "def spread(x): return variance(x)"
    whole["cells"].append(copied)
    handed = Handed("Anna", "anna", "a.ipynb", (), json.dumps(whole).encode(), "", 5)
    row = grade(handed, homework, release(), lane, "walls")["questions"][3]
    assert (row["status"], row["uses"]) == ("right", {"small-q1": "own", "small-q2": "own"})


def test_a_forgotten_return_is_wrong_and_told(graded):
    row = question(graded(q1="def mean(x):\n    total = x.sum() / 6"), 1)
    assert row["status"] == "wrong" and row["cause"] == (
        "The function returns None: is `return` missing?"
    )


def test_a_cell_that_fails_after_the_function_is_still_graded(graded):
    row = question(graded(q1=RIGHT["small-q1"] + "\nassert mean(np.ones(3)) == 2, 'mine'"), 1)
    assert row["status"] == "right"
    assert "its cell raised AssertionError: mine" in row["output"]


def test_a_cell_that_fails_before_the_function_is_an_error(graded):
    row = question(graded(q1="import nothing_like_this\n" + RIGHT["small-q1"]), 1)
    assert row["status"] == "error" and "ModuleNotFoundError" in row["message"]


def test_the_mistake_is_told_and_not_a_follow_on_error(graded):
    result = graded(
        q1="def average(x): return x.mean()",
        q2="def variance(x): return ((x - mean(x)) ** 2).sum() / (len(x) - 1)",
    )
    assert question(result, 1)["message"] == "the cell doesn't define mean"
    assert question(result, 2)["mistake"] == "unbiased"
    assert question(result, 2)["uses"] == {"small-q1": "reference"}


@pytest.mark.parametrize(("draws", "status"), [(1, "partly"), (2, "right")])
def test_a_measured_answer_gets_another_draw_where_the_question_says_so(draws, status, lane):
    once = replace(SMALL.questions[2], draws=draws)
    homework = replace(SMALL, questions=(*SMALL.questions[:2], once))
    first = once.fresh_cases(seed_for("small-q3", 5))[0].inputs["x"][0]
    answer = f"def guess(x): return x - (0.1 if abs(x[0] - {float(first)!r}) < 1e-9 else 0.25)"
    handed = Handed("Anna", "anna", "a.ipynb", (), data(q3=answer), "", 5)
    row = question(grade(handed, homework, release(), lane, "walls"), 3)
    assert row["status"] == status


def test_another_notebook_asks_for_a_person(lane):
    note = f"{PASSED_OVER}: hw1 (1).ipynb."
    handed = Handed("Anna", "anna", "a.ipynb", (note,), data(), "", 5)
    result = grade(handed, SMALL, release(), lane, "walls")
    assert (result["status"], result["points"]) == ("check by hand", 12)
    assert result["reason"] == "another notebook was handed in as well; see the notes"
