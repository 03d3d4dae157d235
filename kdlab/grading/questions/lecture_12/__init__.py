"""Questions of lecture 12: batch normalization."""

from kdlab.grading.questions.lecture_12.batches import FARTHEST, POOLED
from kdlab.grading.questions.lecture_12.folding import FOLD_BEFORE
from kdlab.grading.questions.lecture_12.growing import LENGTHS

QUESTIONS = (FARTHEST, LENGTHS, POOLED, FOLD_BEFORE)
