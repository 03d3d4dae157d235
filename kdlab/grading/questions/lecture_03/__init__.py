"""Questions of lecture 03: when distillation fails."""

from kdlab.grading.questions.lecture_03.pairs import PAIRED
from kdlab.grading.questions.lecture_03.remainder import REMAINDER
from kdlab.grading.questions.lecture_03.stopping import EARLY_STOP

QUESTIONS = (PAIRED, REMAINDER, EARLY_STOP)
