"""Judge an answer that is measured: errors on held-out images against levels."""

from kdlab.grading.diagnose import Fault
from kdlab.grading.observe import Failure, Observation
from kdlab.grading.spec import Case, Question, Threshold


def measure_case(
    threshold: Threshold, case: Case, got: Observation | Failure
) -> tuple[float, Fault | None]:
    """Return the share of the points, and what is to say where it isn't all of them."""
    if isinstance(got, Failure):
        return 0.0, Fault(got.status, "", got.message + got.where, cause=got.cause)
    try:
        value = float(threshold.measure(got.value, case.hidden))
    except ValueError as error:
        return 0.0, Fault("wrong", "", f"returned {got.kind}: {error}")
    share = next((share for most, share in threshold.levels if value <= most), 0.0)
    if share >= 1:
        return 1.0, None
    return share, Fault("wrong", "", _said(threshold, value), _wanted(threshold), f"{value:g}")


def judge_measure(question: Question, seen: list, early: Fault | None, verdict):
    """Fill in a verdict: the shares of the cases, weighted."""
    threshold = question.comparison
    pairs = [measure_case(threshold, *pair) for pair in zip(question.cases, seen, strict=False)]
    pairs += [(0.0, early)] * (len(question.cases) - len(seen))
    total = sum(case.weight for case in question.cases)
    weights = [case.weight / total for case in question.cases]
    verdict.share = sum(w * share for w, (share, _) in zip(weights, pairs, strict=True))
    verdict.cases = [_row(case, *pair) for case, pair in zip(question.cases, pairs, strict=True)]
    fault = next((fault for _, fault in pairs if fault), None)
    if fault:
        verdict.status = "partly" if verdict.share else fault.status
        verdict.message, verdict.cause = fault.message, fault.cause
        verdict.expected, verdict.got = fault.expected, fault.got
    return verdict


def _row(case: Case, share: float, fault: Fault | None) -> dict:
    message = fault.message if fault else ""
    return {"name": case.name, "weight": case.weight, "right": fault is None, "message": message}


def _said(threshold: Threshold, value: float) -> str:
    return f"{value:g} {threshold.unit}"


def _wanted(threshold: Threshold) -> str:
    return "; ".join(f"at most {most:g}: {share:.0%}" for most, share in threshold.levels)
