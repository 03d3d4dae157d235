"""Questions of lecture 01: temperature and dark knowledge."""

from kdlab.grading.questions.lecture_01.searching import LOOKS, TEMPERATURE_FOR
from kdlab.grading.questions.lecture_01.softening import ENTROPY, SOFTEN

QUESTIONS = (SOFTEN, ENTROPY, TEMPERATURE_FOR, LOOKS)
