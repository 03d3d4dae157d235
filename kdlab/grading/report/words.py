"""How each status is shown: a sign, a class of the style sheet, what it means, what to do."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """How a status is shown.

    Attributes:
        sign: One character; the word always stands beside it.
        style: Class in the style sheet.
        meaning: What happened, for the student, or "".
        advice: What to do about it, or "".
        needs_case: If the advice speaks of the case that is shown.
    """

    sign: str
    style: str
    meaning: str = ""
    advice: str = ""
    needs_case: bool = False


LOOKS = {
    "right": Look("✓", "right"),
    "partly": Look(
        "◐",
        "partly",
        "Some of the cases are right, some are not.",
        "One that is not is shown in full.",
        needs_case=True,
    ),
    "wrong": Look(
        "✗",
        "wrong",
        "Your function ran, but what it returned is not the answer.",
        "Make the call below and compare.",
        needs_case=True,
    ),
    "not answered": Look(
        "–",
        "unanswered",
        "The answer was left as it was handed out.",
        "Put your answer in the place of the line that raised NotImplementedError, and return it.",
    ),
    "error": Look(
        "⚠",
        "error",
        "Your code stopped with an error, so there was no answer to compare.",
        "Restart the kernel, run all cells from the top, and see that the error is gone. "
        "The answer cells, the first imports and, where they are needed, cells of your own are run "
        "when graded.",
    ),
    "timed out": Look(
        "◷",
        "late",
        "Your code took longer than this question allows and was stopped.",
        "Look for a loop that never ends, for input(), and for loops over single numbers that "
        "one operation on the whole array can replace.",
    ),
    "crashed": Look(
        "✸",
        "crashed",
        "The Python that ran your code ended before it could answer.",
        "Look for exit(), for endless recursion, and for files or processes that your code "
        "opens: the grader allows none. Then run the cell in a fresh kernel.",
    ),
    "out of memory": Look(
        "▦",
        "memory",
        "Your code asked for more memory than this question allows and was stopped.",
        "Look for arrays that grow in a loop, and for an outer product where a sum would do.",
    ),
}
STATUSES = tuple(LOOKS)
OUTCOMES = ("graded", "check by hand", "not graded")


def verdict(status: str) -> str:
    """Return the sign, which screen readers skip, and the word."""
    look = LOOKS[status]
    return f'<span class="sign {look.style}" aria-hidden="true">{look.sign}</span> {status}'
