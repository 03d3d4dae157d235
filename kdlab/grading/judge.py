"""Judge one answer: fresh inputs in, values back, compared with the reference here.

The reference, the expected values and the comparison never leave this process.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from kdlab.grading.calls import Callee
from kdlab.grading.checking import call_text
from kdlab.grading.diagnose import Fault, factor_cause, find_fault, find_mistake
from kdlab.grading.endings import how_it_ended
from kdlab.grading.measure import judge_measure
from kdlab.grading.observe import Failure, Observation, observe
from kdlab.grading.sandbox.frames import BadFrame
from kdlab.grading.sandbox.inputs import to_wire
from kdlab.grading.sandbox.lane import AnyLane, Ending, Limits
from kdlab.grading.sandbox.seen import from_frame
from kdlab.grading.seeds import seed_from
from kdlab.grading.spec import Case, Question, Threshold

_UNSOUND = "an extreme case counts where the ordinary ones are right"


@dataclass
class Verdict:
    """What one run of one answer came to.

    Attributes:
        status: right, partly, wrong, not answered, error, timed out, crashed, out of memory.
        share: Share of the points, in [0, 1].
        message: One sentence about the first thing that is wrong.
        case: The call that it is about, expected and got: as text, or "".
        mistake: Name of the recognised mistake, or "".
        cause: The likely cause, or "".
        cases: For each case its name, weight, whether it is right, and what is wrong.
        started: Whether the cells before the answer came to their end.
        ending: What the sandbox said.
    """

    status: str = "right"
    share: float = 1.0
    message: str = ""
    case: str = ""
    expected: str = ""
    got: str = ""
    mistake: str = ""
    cause: str = ""
    cases: list[dict] = field(default_factory=list)
    started: bool = True
    ending: Ending = field(default_factory=Ending)


def seed_for(question: str, seed: int, draw: int = 0) -> int:
    """Return the seed of one question's inputs, from the submission's recorded one."""
    text = f"{seed} {question}" + (f" {draw}" if draw else "")
    return seed_from(text)


def judge(
    question: Question,
    cells: list[tuple[str, str]],
    *,
    seed: int,
    draw: int = 0,
    lane: AnyLane,
    references: Mapping[str, Callable] | None = None,
) -> Verdict:
    """Run an answer in the sandbox on fresh inputs, and compare.

    Args:
        question: The question.
        cells: (label, source), in order; the last one is the answer.
        seed: The submission's seed.
        draw: 0 for the first inputs, 1 for others, ...
        lane: Where it runs.
        references: Name -> earlier function that the answer calls by value.
    """
    references = references or {}
    cases = question.fresh_cases(seed_for(question.id, seed, draw))
    limits = Limits(question.seconds, 2 * question.seconds + 5, question.memory)
    ending = lane.run(_job(question, cells, cases, references), limits, Callee(references))
    seen, fault = _read(ending, cases, question)
    verdict = _compare(replace(question, cases=cases), seen, fault)
    verdict.ending = ending
    verdict.started = any(message.get("kind") == "started" for message, _ in ending.frames)
    return verdict


def _job(question: Question, cells, cases: tuple[Case, ...], references) -> tuple[dict, list]:
    arrays: list = []
    job = {
        "function": question.name,
        "cells": [list(cell) for cell in cells],
        "references": list(references),
        "gradient_of": list(question.comparison.gradient_of),
        "threads": 1,
        "cases": [
            [[name, to_wire(value, arrays)] for name, value in case.inputs.items()]
            for case in cases
        ],
    }
    return job, arrays


def _read(ending: Ending, cases, question: Question) -> tuple[list, Fault | None]:
    """Return what was seen case by case, and the fault that ended it early, if one did."""
    seen: list = []
    for message, arrays in ending.frames:
        if message.get("kind") == "seen" and len(seen) < len(cases):
            try:
                seen.append(_complete(from_frame(message, arrays), cases[len(seen)], question))
            except BadFrame as error:
                ending.bad = str(error)
                break
    return seen, None if len(seen) == len(cases) else how_it_ended(ending, question)


def _complete(seen: Observation | Failure, case: Case, question: Question):
    """Hold what came against what was asked: gradients and changes of known inputs only."""
    if isinstance(seen, Observation):
        if set(seen.gradients) != set(question.comparison.gradient_of):
            raise BadFrame("gradients that weren't asked for")
        if not set(seen.changed) <= set(case.inputs):
            raise BadFrame("changes of unknown inputs")
    return seen


def _compare(question: Question, seen: list, early: Fault | None) -> Verdict:
    if isinstance(question.comparison, Threshold):
        return judge_measure(question, seen, early, Verdict())
    faults = [_fault(question, case, got) for case, got in zip(question.cases, seen, strict=False)]
    faults += [early] * (len(question.cases) - len(seen))
    verdict = Verdict(cases=case_rows(question.cases, faults))
    total = sum(case.weight for case in question.cases)
    verdict.share = sum(row["weight"] for row in verdict.cases if row["right"]) / total
    wrong = next((at for at, fault in enumerate(faults) if fault), None)
    if wrong is not None:
        _explain(verdict, question, seen, wrong, faults[wrong])
    return verdict


def _fault(question: Question, case: Case, got: Observation | Failure) -> Fault | None:
    if isinstance(got, Failure) and got.status == "not answered" and not got.cause:
        return Fault("not answered", "", got.message, cause=got.cause)
    gradient_of = question.comparison.gradient_of
    expected = observe(question.reference, case, gradient_of=gradient_of)
    return find_fault(expected, got, question.comparison)


def case_rows(cases: tuple[Case, ...], faults: list[Fault | None]) -> list[dict]:
    """Say case by case what counts; an extreme case does where the ordinary ones are right."""
    sound = not any(fault for case, fault in zip(cases, faults, strict=True) if not case.extreme)
    rows = []
    for case, fault in zip(cases, faults, strict=True):
        right = not fault and (sound or not case.extreme)
        message = fault.message if fault else "" if right else _UNSOUND
        rows.append({"name": case.name, "weight": case.weight, "right": right, "message": message})
    return rows


def _explain(verdict: Verdict, question: Question, seen: list, at: int, fault: Fault) -> None:
    verdict.status = "partly" if verdict.share else fault.status
    verdict.message, verdict.cause = fault.message, fault.cause
    verdict.expected, verdict.got = fault.expected, fault.got
    verdict.case = call_text(question, question.cases[at]) if at < len(seen) else ""
    # A value that is right nowhere near can't be told from a mistake's by one case alone.
    mistake = find_mistake(question, seen, at, fault.aspect) if at < len(seen) else None
    if mistake:
        verdict.mistake, verdict.cause = mistake.name, mistake.because
    elif fault.aspect == "value":
        verdict.cause = factor_cause(question, seen) or fault.cause
