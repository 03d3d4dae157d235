"""What the tests of each homework share: fairness of its mistakes, and the form of its cells."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import combinations

from _judged import assert_right, faults, is_finite

from kdlab.grading.diagnose import find_fault, find_mistake
from kdlab.grading.judge import case_rows
from kdlab.grading.observe import Observation, observe
from kdlab.grading.spec import Case, Homework, Mistake, Question


def share_of_points(question: Question, fn: Callable, seed: int) -> float:
    """Return which part of a question's points a function gets on the inputs of a seed."""
    cases, right = _drawn(question, seed)
    gradient_of = question.comparison.gradient_of
    seen = zip(right, (observe(fn, case, gradient_of=gradient_of) for case in cases), strict=True)
    rows = case_rows(cases, [find_fault(*pair, question.comparison) for pair in seen])
    got = sum(row["weight"] for row in rows if row["right"])
    return got / sum(case.weight for case in cases)


@cache
def _drawn(question: Question, seed: int) -> tuple[tuple[Case, ...], list[Observation]]:
    """Return fresh cases and their right answers: many mistakes are tried on the same ones."""
    cases, gradient_of = question.fresh_cases(seed), question.comparison.gradient_of
    return cases, [observe(question.reference, case, gradient_of=gradient_of) for case in cases]


def assert_recognised_on_fresh_inputs(
    question: Question, mistake: Mistake, variant: Callable, *, seeds: int
) -> None:
    """Assert that a variant is told the name of its own mistake, whatever is drawn."""
    for seed in range(seeds):
        fresh = replace(question, cases=question.fresh_cases(seed))
        found = faults(fresh, variant, fresh.cases)
        at = next(place for place, fault in enumerate(found) if fault)
        gradient_of = question.comparison.gradient_of
        seen = [observe(variant, case, gradient_of=gradient_of) for case in fresh.cases]
        assert find_mistake(fresh, seen, at, found[at].aspect) is mistake


def look_alike(question: Question) -> list[tuple[str, str]]:
    """Return the mistakes, two by two, that the first visible case doesn't tell apart."""
    case, gradient_of = question.cases[0], question.comparison.gradient_of
    seen = [
        (mistake.name, observe(fn, case, gradient_of=gradient_of))
        for mistake in question.mistakes
        for fn in mistake.variants
    ]
    right = observe(question.reference, case, gradient_of=gradient_of)
    named = [pair for pair in seen if find_fault(right, pair[1], question.comparison)]
    return [
        (one, other)
        for (one, a), (other, b) in combinations(named, 2)
        if one != other and is_finite(a) and not find_fault(a, b, question.comparison)
    ]


def graded_cells(notebook) -> dict:
    """Return the cells with nbgrader's metadata, by their ids."""
    return {cell.id: cell for cell in notebook.cells if "nbgrader" in cell.metadata}


def assert_cells_are_the_specs(homework: Homework, notebook) -> None:
    """Assert that each question has an answer cell and a check, and that there are no others."""
    cells = graded_cells(notebook)
    for question in homework.questions:
        answer, tried = cells[question.id], cells[f"{question.id}-check"]
        assert answer.metadata.nbgrader.solution and not answer.metadata.nbgrader.locked
        assert f"def {question.name}(" in answer.source
        assert tried.source == f'check("{question.id}", {question.name}).require()'
        assert tried.metadata.nbgrader.points == question.points
        assert "raises-exception" in tried.metadata.tags
    assert set(cells) - {f"{homework.id}-imports"} == {
        id + end for id in homework.functions for end in ("", "-check")
    }
    assert all(cell.metadata.nbgrader.grade_id == id for id, cell in cells.items())


def assert_solutions_are_right(homework: Homework, notebook) -> None:
    """Assert that the notebook's own answers, run one after the other, are right."""
    cells = graded_cells(notebook)
    space: dict = {}
    exec(cells[f"{homework.id}-imports"].source, space)
    for question in homework.questions:
        exec(cells[question.id].source, space)
        assert_right(question.id, space[question.name])


def told(notebook) -> str:
    """Return all markdown of a notebook."""
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def assert_minutes_and_points_are_told(homework: Homework, notebook) -> None:
    """Assert that headings and title cell give the specs' minutes and points."""
    text = told(notebook)
    for number, question in enumerate(homework.questions, start=1):
        assert f"## {number}. {question.title} ({question.minutes} minutes, " in text
        assert f"{question.minutes} minutes, {question.points:g} points)" in text
    assert f"{sum(question.minutes for question in homework.questions)} minutes" in text
    assert f"{homework.points:g} points" in text


def assert_explanations_are_for_instructors(homework: Homework, notebook) -> None:
    """Assert that a question has one explanation, and that only those are kept back."""
    for cell in notebook.cells:
        is_explanation = "explanation" in cell.id
        assert ("instructor" in cell.metadata.get("tags", [])) == is_explanation
    assert sum("explanation" in cell.id for cell in notebook.cells) == len(homework.questions)


def assert_code_is_short(notebook) -> None:
    """Assert that a code cell has at most 20 lines."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= 20
