"""Questions of lecture 02: Hinton's distillation."""

from kdlab.grading.questions.lecture_02.cache import CACHE
from kdlab.grading.questions.lecture_02.conversions import TO_CONVEX, TO_LAMBDA
from kdlab.grading.questions.lecture_02.distillation import DISTILLATION
from kdlab.grading.questions.lecture_02.logits import BIAS, HIGH_TEMPERATURE
from kdlab.grading.questions.lecture_02.soft_targets import SOFT_TARGETS

QUESTIONS = (TO_LAMBDA, TO_CONVEX, SOFT_TARGETS, DISTILLATION, HIGH_TEMPERATURE, BIAS, CACHE)
