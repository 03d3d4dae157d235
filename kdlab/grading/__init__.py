"""Questions and their answers: ``check("KD02-E3", fn)`` and the specs behind it.

A question is one declarative spec (`Question`): a reference, visible cases, cases drawn
from a seed, a comparison, and named mistakes. `check` shows a student what was expected,
what came, and the likely cause. It runs the student's function in this process and on the
visible cases only; it is help, not a grade.
"""

from importlib import import_module

# Name -> where it lives. They are loaded when asked for: the sandbox and the command line
# import this package and must not load torch, or a single reference, by that.
_HOMES = {
    "Case": "spec",
    "CheckResult": "result",
    "Comparison": "spec",
    "Homework": "spec",
    "Mistake": "spec",
    "Question": "spec",
    "Threshold": "spec",
    "check": "checking",
    "find_homework": "registry",
    "find_question": "registry",
    "known_homeworks": "registry",
    "known_ids": "registry",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"kdlab.grading.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
