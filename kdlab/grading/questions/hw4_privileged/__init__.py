"""Homework 4: a teacher who knows more, as least squares, as a density and as a target."""

from kdlab.grading.questions.hw4_privileged.fitting import FIT_STUDENT
from kdlab.grading.questions.hw4_privileged.responses import PSEUDO_RESPONSES
from kdlab.grading.questions.hw4_privileged.targets import GENERALIZED_TARGETS
from kdlab.grading.questions.hw4_privileged.three import CONSTANT_OF_THREE
from kdlab.grading.questions.hw4_privileged.two import CONSTANT_OF_TWO
from kdlab.grading.questions.hw4_privileged.weights import PRECISION_WEIGHTS
from kdlab.grading.spec import Homework

QUESTIONS = (
    PRECISION_WEIGHTS,
    PSEUDO_RESPONSES,
    FIT_STUDENT,
    CONSTANT_OF_TWO,
    CONSTANT_OF_THREE,
    GENERALIZED_TARGETS,
)
HOMEWORK = Homework(
    id="hw4", name="hw4_privileged", title="Privileged information", questions=QUESTIONS
)
