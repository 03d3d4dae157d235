"""The question of lecture 02 on the order of stored logits."""

import torch
from torch import tensor

from kdlab.grading.questions._common import normal
from kdlab.grading.questions.lecture_02.logits import COPIED
from kdlab.grading.spec import Case, Mistake, Question


def _cache_case(name, teacher_logits, indices):
    return Case(name, {"teacher_logits": teacher_logits, "indices": indices})


def _draw_cache(generator):
    indices = torch.randperm(50, generator=generator)[:8]
    return (_cache_case("drawn", normal(generator, 50, 10), indices),)


CACHE = Question(
    id="KD02-E7",
    title="Spot the bug: cached logits under a shuffled batch",
    minutes=5,
    signature=(
        'fix_cached_logits(teacher_logits: Float[Tensor, "examples classes"], '
        'indices: Int64[Tensor, "batch"]) -> Float[Tensor, "batch classes"]'
    ),
    statement=(
        "The teacher's logits were computed once over the whole set. Return those of a shuffled "
        "batch whose examples have these indices in the set, in the batch's order."
    ),
    reference=lambda teacher_logits, indices: teacher_logits[indices],
    cases=(
        _cache_case(
            "three of five",
            tensor([[0.0, 1.0], [10.0, 11.0], [20.0, 21.0], [30.0, 31.0], [40.0, 41.0]]),
            tensor([3, 0, 4]),
        ),
        _cache_case(
            "all, in another order",
            tensor([[0.0, 1.0, 2.0], [10.0, 11.0, 12.0], [20.0, 21.0, 22.0]]),
            tensor([1, 2, 0]),
        ),
        _cache_case("one example twice", tensor([[0.0, 1.0], [10.0, 11.0]]), tensor([1, 1])),
    ),
    draw=_draw_cache,
    comparison=COPIED,
    mistakes=(
        Mistake(
            "the first rows",
            "The first rows of the cache belong to the first examples of the set, not to those "
            "of this batch: the student is taught with other images' answers.",
            (lambda teacher_logits, indices: teacher_logits[: len(indices)],),
        ),
        Mistake(
            "columns instead of rows",
            "The second index of the cache is the class. Rows are examples: "
            "teacher_logits[indices].",
            (lambda teacher_logits, indices: teacher_logits[:, indices],),
        ),
        Mistake(
            "off by one",
            "Indices count from 0, in the set as in the tensor: nothing is added or subtracted.",
            (
                lambda teacher_logits, indices: teacher_logits[indices - 1],
                lambda teacher_logits, indices: teacher_logits[indices + 1],
            ),
        ),
        Mistake(
            "arguments swapped",
            "The logits are the first argument and the indices the second, so here the indices "
            "are looked up at the logits.",
            (lambda teacher_logits, indices: indices[teacher_logits],),
        ),
        Mistake(
            "wrong order: argsort",
            "argsort gives positions inside the batch. The indices themselves say which rows to "
            "read.",
            (lambda teacher_logits, indices: teacher_logits[indices.argsort()],),
        ),
        Mistake(
            "wrong order: sorted",
            "The rows are right but stand in the set's order; the batch has its own.",
            (lambda teacher_logits, indices: teacher_logits[indices.sort().values],),
        ),
    ),
)
