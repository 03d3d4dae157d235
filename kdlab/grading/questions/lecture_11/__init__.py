"""Questions of lecture 11: dataset distillation."""

from kdlab.grading.questions.lecture_11.angles import GRADIENT_DISTANCE
from kdlab.grading.questions.lecture_11.center import NEXT_CENTER
from kdlab.grading.questions.lecture_11.mmd import MMD
from kdlab.grading.questions.lecture_11.pull import PULL

QUESTIONS = (NEXT_CENTER, MMD, PULL, GRADIENT_DISTANCE)
