"""Questions of lecture 07: self-distillation."""

from kdlab.grading.questions.lecture_07.depth import EXITS
from kdlab.grading.questions.lecture_07.permuted import PERMUTED
from kdlab.grading.questions.lecture_07.shrinkage import SHRINKAGE

QUESTIONS = (PERMUTED, SHRINKAGE, EXITS)
