"""Homework 6: batch normalization forward, backward, followed, undone and folded."""

from kdlab.grading.questions.hw6_normalization.backward import BACKWARD
from kdlab.grading.questions.hw6_normalization.folding import FOLD
from kdlab.grading.questions.hw6_normalization.forward import FORWARD
from kdlab.grading.questions.hw6_normalization.running import RUNNING
from kdlab.grading.questions.hw6_normalization.undoing import UNDO
from kdlab.grading.spec import Homework

QUESTIONS = (FORWARD, BACKWARD, RUNNING, UNDO, FOLD)
HOMEWORK = Homework(
    id="hw6", name="hw6_normalization", title="Batch normalization", questions=QUESTIONS
)
