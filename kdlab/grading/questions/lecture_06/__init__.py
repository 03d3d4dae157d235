"""Questions of lecture 06: learners without a teacher."""

from kdlab.grading.questions.lecture_06.cohort import COHORT
from kdlab.grading.questions.lecture_06.flatness import LOSS_RISE
from kdlab.grading.questions.lecture_06.sending import BYTES_SENT

QUESTIONS = (COHORT, LOSS_RISE, BYTES_SENT)
