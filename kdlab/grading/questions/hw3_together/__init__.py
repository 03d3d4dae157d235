"""Homework 3: paths of assistants, mutual learning, generations, snapshots and early stops."""

from kdlab.grading.questions.hw3_together.generations import BORN_AGAIN_TARGETS
from kdlab.grading.questions.hw3_together.mutual import MUTUAL_STEP
from kdlab.grading.questions.hw3_together.paths import COST_OF_PATHS
from kdlab.grading.questions.hw3_together.schedule import SNAPSHOT_RATES
from kdlab.grading.questions.hw3_together.stopping import TEACHER_WEIGHTS
from kdlab.grading.spec import Homework

QUESTIONS = (COST_OF_PATHS, MUTUAL_STEP, BORN_AGAIN_TARGETS, SNAPSHOT_RATES, TEACHER_WEIGHTS)
HOMEWORK = Homework(
    id="hw3",
    name="hw3_together",
    title="Learning together",
    questions=QUESTIONS,
    # Answers may use torch's optimizers and schedulers, the first of which loads torch._dynamo.
    imports=("numpy", "torch", "torch._dynamo"),
)
