"""`check`: run a student's function on a question's visible cases and say what came."""

from collections.abc import Callable

from kdlab.grading.compare import show
from kdlab.grading.diagnose import find_fault, likely_cause
from kdlab.grading.measure import measure_case
from kdlab.grading.observe import Failure, Observation, observe
from kdlab.grading.plain import to_plain, type_name, with_article
from kdlab.grading.registry import find_question
from kdlab.grading.result import CheckResult
from kdlab.grading.spec import Case, Question, Threshold

_LONGEST_CALL = 400


def check(id: str, fn: Callable) -> CheckResult:
    """Try a function on the visible cases of a question.

    The result shows itself at the end of a notebook cell. A wrong, raising or unanswered
    function is reported, never raised, and so is what is no function at all: "Run all" goes
    on. Ctrl-C and the stop button still work.

    Args:
        id: The question, for example ``"KD02-E3"``.
        fn: The function itself, not its result.

    Returns:
        What was expected, what came, and the likely cause.

    Raises:
        ValueError: There is no such question (the message names those there are).
    """
    question = find_question(id)
    if not callable(fn):
        message = f"got {with_article(type_name(fn))} instead of a function"
        hint = f"Pass {question.name}, not {question.name}(...)."
        return CheckResult(question.id, "error", message, cause=hint)
    seen = _observe_all(question, fn)
    for index in range(len(seen)):
        found = _judge(question, seen, index)
        if found:
            return found
    return CheckResult(question.id, "right", f"right in all {len(seen)} cases")


def _observe_all(question: Question, fn: Callable) -> list[Observation | Failure]:
    seen = []
    for case in question.cases:
        seen.append(observe(fn, case, gradient_of=question.comparison.gradient_of))
        if isinstance(seen[-1], Failure):
            break
    return seen


def _judge(question: Question, seen: list, index: int) -> CheckResult | None:
    case, got = question.cases[index], seen[index]
    if isinstance(got, Failure) and got.status == "not answered" and not index:
        return CheckResult(question.id, got.status, got.message, cause=got.cause)
    if isinstance(question.comparison, Threshold):
        return _judge_measure(question, case, got)
    expected = observe(question.reference, case, gradient_of=question.comparison.gradient_of)
    fault = find_fault(expected, got, question.comparison)
    if fault is None:
        return None
    call = call_text(question, case)
    cause = likely_cause(question, seen, index, fault.aspect) or fault.cause
    return CheckResult(
        question.id, fault.status, fault.message, call, fault.expected, fault.got, cause
    )


def _judge_measure(question: Question, case: Case, got: Observation | Failure):
    _, fault = measure_case(question.comparison, case, got)
    if fault is None:
        return None
    fields = (fault.status, fault.message, case.name, fault.expected, fault.got, fault.cause)
    return CheckResult(question.id, *fields)


def call_text(question: Question, case: Case) -> str:
    """Write a case as the call it is: "T = 2: soften(logits=[1, 2], temperature=2)".

    Where that is too long, each long value is cut by itself: a temperature behind two batches of
    logits is still seen.
    """
    # One line: an array shows its rows by its brackets.
    shown = {name: " ".join(show(to_plain(v)).split()) for name, v in case.inputs.items()}
    if sum(map(len, shown.values())) > _LONGEST_CALL:
        room = _LONGEST_CALL // len(shown)
        shown = {name: _cut(text, room) for name, text in shown.items()}
    arguments = ", ".join(f"{name}={text}" for name, text in shown.items())
    return f"{case.name}: {question.name}({arguments})"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[:room] + "..."
