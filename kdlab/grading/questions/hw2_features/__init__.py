"""Homework 2: attention maps, and the losses that compare features and relations."""

from kdlab.grading.questions.hw2_features.angles import ANGLE_LOSS
from kdlab.grading.questions.hw2_features.attention import ATTENTION_MAP
from kdlab.grading.questions.hw2_features.distances import DISTANCE_LOSS
from kdlab.grading.questions.hw2_features.similarity import SIMILARITY_LOSS
from kdlab.grading.questions.hw2_features.transfer import ATTENTION_LOSS
from kdlab.grading.spec import Homework

QUESTIONS = (ATTENTION_MAP, ATTENTION_LOSS, DISTANCE_LOSS, ANGLE_LOSS, SIMILARITY_LOSS)
HOMEWORK = Homework(
    id="hw2",
    name="hw2_features",
    title="Features and relations",
    questions=QUESTIONS,
)
