"""Questions and their answers: ``check("KD02-E3", fn)`` and the specs behind it.

A question is one declarative spec (`Question`): a reference, visible cases, cases drawn
from a seed, a comparison, and named mistakes. `check` shows a student what was expected,
what came, and the likely cause. It runs the student's function in this process and on the
visible cases only; it is help, not a grade.
"""

from kdlab.grading.checking import check
from kdlab.grading.registry import find_question, known_ids
from kdlab.grading.result import CheckResult
from kdlab.grading.spec import Case, Comparison, Mistake, Question

__all__ = [
    "Case",
    "CheckResult",
    "Comparison",
    "Mistake",
    "Question",
    "check",
    "find_question",
    "known_ids",
]
