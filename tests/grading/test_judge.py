"""The judge believes nothing that comes: forged observations, early ends, odd forms."""

import numpy as np
import pytest
from _small_homework import SMALL, mean

from kdlab.grading.calls import Callee
from kdlab.grading.diagnose import Fault
from kdlab.grading.judge import case_rows, judge, seed_for
from kdlab.grading.observe import Failure, Observation
from kdlab.grading.sandbox.frames import BadFrame
from kdlab.grading.sandbox.inputs import from_wire, to_wire
from kdlab.grading.sandbox.lane import Ending
from kdlab.grading.sandbox.seen import from_frame, to_frame
from kdlab.grading.spec import Case

QUESTION = SMALL.questions[0]
SEED = 5


class Forger:
    """A lane whose child sends what it likes."""

    def __init__(self, *frames: tuple[dict, list], **ending) -> None:
        self._ending = Ending(frames=list(frames), **ending)

    def run(self, job, limits, answer) -> Ending:
        self.job, self.limits = job, limits
        return self._ending


def seen(value, *, gradients=None, changed=()) -> tuple[dict, list]:
    return to_frame(Observation(value, "a float", gradients or {}, tuple(changed)))


def right_values() -> list:
    cases = QUESTION.fresh_cases(seed_for(QUESTION.id, SEED))
    return [np.array(mean(case.inputs["x"])) for case in cases]


def verdict_on(*frames, **ending):
    return judge(QUESTION, [("q", "")], seed=SEED, lane=Forger(*frames, **ending))


def test_right_values_are_right():
    assert verdict_on(*map(seen, right_values())).status == "right"


def test_more_frames_than_cases_change_nothing():
    frames = [seen(np.array(0.0))] + [seen(value) for value in right_values()]
    assert verdict_on(*frames).share == 0


@pytest.mark.parametrize(
    "frame",
    [
        seen(np.array(1.0), gradients={"x": np.zeros(6)}),
        seen(np.array(1.0), changed=["y"]),
        ({"kind": "seen"}, []),
        (
            {"kind": "seen", "value": {"npy": 0}, "described": "", "gradients": [], "changed": []},
            [],
        ),
        ({"kind": "seen", "failure": {"status": "right", "message": ""}}, []),
        ({"kind": "seen", "failure": {"status": "error", "message": 3}}, []),
        ({"kind": "seen", "failure": "error"}, []),
    ],
    ids=range(7),
)
def test_what_was_not_asked_for_is_a_crash_and_not_a_grade(frame):
    verdict = verdict_on(frame)
    assert (verdict.status, verdict.share) == ("crashed", 0)
    assert verdict.message.startswith("sent what can't be read: ")


def test_claims_about_points_are_not_read():
    message, arrays = seen(np.array(0.0))
    lies = {"points": 99, "share": 1.0, "status": "right"}
    assert verdict_on((message | lies, arrays), ({"kind": "verdict", **lies}, [])).share == 0


def test_texts_are_cut():
    frame = to_frame(Failure("error", "x" * 10_000))
    assert len(from_frame(*frame).message) == 600


@pytest.mark.parametrize(
    ("ending", "status", "message"),
    [
        (
            {"why": "time", "cpu": 0.5},
            "timed out",
            "waited for something, or the machine was too busy: 0.5 s of CPU used",
        ),
        ({"why": "time", "cpu": 2.1}, "timed out", "took longer than 2 s for this question"),
        ({"cpu": 2.1, "signal": 9}, "timed out", "took longer than 2 s for this question"),
        ({"why": "disk", "signal": 9}, "crashed", "wrote more to disk than is allowed"),
        ({"signal": 11}, "crashed", "the process was ended by a segmentation fault"),
        ({"signal": 9}, "crashed", "the process was ended by a kill signal"),
        ({"signal": 40}, "crashed", "the process was ended by signal 40"),
        ({"bad": "no JSON"}, "crashed", "sent what can't be read: no JSON"),
        ({}, "crashed", "the process ended before the answer came"),
    ],
)
def test_every_ending_has_its_words(ending, status, message):
    verdict = verdict_on(**ending)
    assert (verdict.status, verdict.message) == (status, message)
    assert [case["right"] for case in verdict.cases] == [False, False]


def test_cases_that_came_before_the_end_count():
    verdict = verdict_on(seen(right_values()[0]), signal=11)
    assert (verdict.status, verdict.share) == ("partly", 0.25)


def test_the_job_holds_inputs_and_nothing_else():
    lane = Forger()
    judge(QUESTION, [("q", "source")], seed=SEED, lane=lane, references={"earlier": mean})
    job, arrays = lane.job
    assert set(job) == {"function", "cells", "references", "gradient_of", "threads", "cases"}
    assert job["references"] == ["earlier"] and job["cells"] == [["q", "source"]]
    assert [array.shape for array in arrays] == [(6,), (6,)]


def test_hidden_values_stay_here():
    lane = Forger()
    judge(SMALL.questions[2], [("q", "")], seed=SEED, lane=lane)
    [case] = SMALL.questions[2].fresh_cases(seed_for("small-q3", SEED))
    [array] = lane.job[1]
    assert not np.array_equal(array, case.hidden["truth"])
    assert np.array_equal(array, case.inputs["x"])


WRONG = Fault("wrong", "value", "the value differs")


@pytest.mark.parametrize(
    ("faults", "right"),
    [
        ((None, None, None), (True, True, True)),
        ((None, None, WRONG), (True, True, False)),
        ((None, WRONG, None), (True, False, False)),
        ((WRONG, None, None), (False, True, False)),
    ],
)
def test_an_extreme_case_counts_where_the_ordinary_ones_are_right(faults, right):
    ordinary = (Case("one", {}), Case("two", {}))
    rows = case_rows((*ordinary, Case("far", {}, extreme=True)), list(faults))
    assert tuple(row["right"] for row in rows) == right
    assert all(bool(row["message"]) != row["right"] for row in rows)


def test_seeds_differ_by_question_and_submission():
    seeds = {seed_for(id, seed) for id in ("small-q1", "small-q2") for seed in (1, 2)}
    assert len(seeds) == 4 and seed_for("small-q1", 1) in seeds


# --- calls of earlier answers


def call(name="mean", values=((["array", 0]),), names=(), gradient=("plain", None)) -> dict:
    told = {"name": name, "values": list(values), "names": list(names)}
    return told | {"kind": "call", "gradient": list(gradient)}


def test_a_call_is_answered_by_value():
    reply, arrays = Callee({"mean": mean})(call(), [np.array([1.0, 3.0])])
    assert from_wire(reply["values"][0], arrays) == 2


def test_what_the_reference_raises_is_told():
    reply, _ = Callee({"mean": mean})(call(values=[["plain", "text"]]), [])
    assert "has no attribute 'sum'" in reply["error"]


@pytest.mark.parametrize(
    "message",
    [
        call(name="os.system"),
        call(name=["mean"]),
        call() | {"values": None},
        call() | {"names": "x"},
        call(values=[["array", 7]]),
        call(values=[["pickle", 0]]),
        call(gradient=["code", "x"]),
        {},
    ],
    ids=range(8),
)
def test_a_call_of_another_form_is_refused(message):
    with pytest.raises(BadFrame):
        Callee({"mean": mean})(message, [np.zeros(2)])


def test_calls_are_counted(monkeypatch):
    monkeypatch.setattr("kdlab.grading.calls._MOST_CALLS", 3)
    callee = Callee({"mean": mean})
    for _ in range(3):
        callee(call(), [np.zeros(2)])
    with pytest.raises(BadFrame, match="more than 3 calls"):
        callee(call(), [np.zeros(2)])


@pytest.mark.parametrize("value", [1, 2.5, True, None, "text", np.float32(2.5), np.arange(3)])
def test_arguments_come_back(value):
    arrays: list = []
    found = from_wire(to_wire(value, arrays), arrays)
    assert np.array_equal(found, value) if isinstance(value, np.ndarray) else found == value


def test_other_arguments_do_not_cross():
    with pytest.raises(TypeError, match="function can't be handed over"):
        to_wire(mean, [])
