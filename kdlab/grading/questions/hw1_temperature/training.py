"""Question 6 of homework 1: train a student on thirty images, with a teacher's logits."""

import numpy as np
import torch

from kdlab import losses, models
from kdlab.grading.questions.hw1_temperature.digits import SIDE, TESTS, draw_case, visible_case
from kdlab.grading.spec import Question, Threshold


def train_student(
    images, targets, teacher_logits, test_images, seed, *, steps=150, temperature=8.0, lambda_=0.9
):
    """Return the logits of test images after full-batch SGD; lambda_=0 is labels only."""
    student = models.mlp((SIDE * SIDE, 128, 10), seed=seed)
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1, momentum=0.9)
    for _ in range(steps):
        loss = losses.distillation_loss(
            student(images), teacher_logits, targets, temperature=temperature, lambda_=lambda_
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return student(test_images)


def count_errors(answer, hidden) -> int:
    """Count the rows whose largest score is not at the held-out target.

    Raises:
        ValueError: The answer is no finite array of one row an image, one column a class.
    """
    expected = (len(hidden["targets"]), 10)
    if not isinstance(answer, np.ndarray) or answer.shape != expected:
        raise ValueError(f"expected shape {list(expected)}, ten scores for each test image")
    if not np.isfinite(answer).all():
        count = int((~np.isfinite(answer)).any(axis=1).sum())
        raise ValueError(f"the scores of {count} images are NaN or infinite")
    return int((answer.argmax(axis=1) != np.asarray(hidden["targets"])).sum())


TRAIN_STUDENT = Question(
    id="hw1-q6",
    title="Train a student on thirty images",
    minutes=30,
    signature=(
        'train_student(images: Float[Tensor, "train 12 12"], targets: Int64[Tensor, "train"], '
        'teacher_logits: Float[Tensor, "train 10"], test_images: Float[Tensor, "tests 12 12"], *, '
        'seed: int) -> Float[Tensor, "tests 10"]'
    ),
    statement=(
        "Train a student on thirty photographed digits, their labels and a teacher's logits, and "
        "return its logits (or probabilities) for the 1,000 test images. Everything random "
        "follows from `seed`. At most 20 seconds of CPU time on one thread and 1 GiB of memory."
    ),
    reference=train_student,
    cases=(visible_case("thirty photographs, 1,000 others to name", seed=1),),
    draw=lambda generator: (draw_case("photographed anew", generator),),
    comparison=Threshold(
        measure=count_errors,
        unit=f"errors of {TESTS:,}",
        levels=((120, 1.0), (140, 0.5)),
        reason=(
            "measured on seeds 0 to 99, one thread: the reference makes 64 to 109 errors (mean "
            "82) in 0.2 s of CPU time, the same student on labels alone 147 to 263 (202), a "
            "support vector machine on labels alone 122 to 251 (180), distillation at T = 1 "
            "106 to 223 (164), the teacher, who sees the digits upright, 46 to 61 (54)"
        ),
    ),
    mistakes=(),
    points=5,
    uses=("hw1-q1", "hw1-q3", "hw1-q5"),
    # A student's own loss may loop over rows and classes: 1.2 s on one core, over 5 s on another.
    seconds=20.0,
    # Right students of other kinds fall short on some draws; see `reason`.
    draws=2,
)
