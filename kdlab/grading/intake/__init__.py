"""Read what students hand in, as untrusted data: find it, parse it, pick the answers.

Nothing is executed and nothing is unpacked to disk. What can't be read raises `Rejected`, with
one sentence for the student and the assistant; that is a status, never a silent 0.
"""

from kdlab.grading.intake.answers import Answers, pick_answers
from kdlab.grading.intake.choosing import PASSED_OVER
from kdlab.grading.intake.finding import Submission, find_submissions
from kdlab.grading.intake.notebook import Cell, Notebook, parse_notebook
from kdlab.grading.intake.rebuilding import rebuild
from kdlab.grading.intake.words import Rejected

__all__ = [
    "PASSED_OVER",
    "Answers",
    "Cell",
    "Notebook",
    "Rejected",
    "Submission",
    "find_submissions",
    "parse_notebook",
    "pick_answers",
    "rebuild",
]
