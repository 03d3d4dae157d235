"""Homework 5: distances of mean embeddings, a coreset, shared changes and an unrolled step."""

from kdlab.grading.questions.hw5_condensation.classes import CLASS_DISTANCE
from kdlab.grading.questions.hw5_condensation.distance import MEAN_DISTANCE
from kdlab.grading.questions.hw5_condensation.herding import HERDING_STEP
from kdlab.grading.questions.hw5_condensation.siamese import CHANGE_ALIKE
from kdlab.grading.questions.hw5_condensation.unrolled import UNROLLED_GRADIENTS
from kdlab.grading.spec import Homework

QUESTIONS = (MEAN_DISTANCE, CLASS_DISTANCE, HERDING_STEP, CHANGE_ALIKE, UNROLLED_GRADIENTS)
HOMEWORK = Homework(
    id="hw5", name="hw5_condensation", title="A data set in few images", questions=QUESTIONS
)
