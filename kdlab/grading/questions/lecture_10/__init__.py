"""Questions of lecture 10: privileged information."""

from kdlab.grading.questions.lecture_10.density import FREE_STUDENT, LOG_CONSTANT
from kdlab.grading.questions.lecture_10.floor import FLOOR
from kdlab.grading.questions.lecture_10.noise import AS_NOISE, COMBINED

QUESTIONS = (AS_NOISE, COMBINED, LOG_CONSTANT, FREE_STUDENT, FLOOR)
