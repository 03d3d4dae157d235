"""Homework 1: temperature, from a stable softmax to a student trained on thirty images."""

from kdlab.grading.questions.hw1_temperature.gradient import SOFT_TARGET_GRADIENT
from kdlab.grading.questions.hw1_temperature.softening import ENTROPY_OF, TEMPERED_SOFTMAX
from kdlab.grading.questions.hw1_temperature.teaching import DISTILLATION_LOSS, SOFT_TARGET_LOSS
from kdlab.grading.questions.hw1_temperature.training import TRAIN_STUDENT
from kdlab.grading.spec import Homework

QUESTIONS = (
    TEMPERED_SOFTMAX,
    ENTROPY_OF,
    SOFT_TARGET_LOSS,
    SOFT_TARGET_GRADIENT,
    DISTILLATION_LOSS,
    TRAIN_STUDENT,
)
HOMEWORK = Homework(
    id="hw1",
    name="hw1_temperature",
    title="Temperature and soft targets",
    questions=QUESTIONS,
    # The first optimizer of a process loads torch._dynamo, which takes longer than question 6.
    imports=("numpy", "torch", "torch._dynamo"),
)
