"""Questions of lecture 02 on logits: their limit and their bias."""

import torch
from torch import tensor

from kdlab.grading.questions._common import FLOAT32, between, normal
from kdlab.grading.spec import Case, Comparison, Mistake, Question

COPIED = Comparison(rtol=1e-6, atol=1e-6, reason="numbers are only copied or added once")


def _centred(logits, dim=1):
    return logits - logits.mean(dim=dim, keepdim=True)


def _pair_case(name, student_logits, teacher_logits):
    return Case(name, {"student_logits": student_logits, "teacher_logits": teacher_logits})


def _draw_pair(generator):
    # Logits with a mean far from 0, which a gradient that is not centred would show.
    # Seven classes: whoever writes 10 for their number is to be seen.
    student, teacher = normal(generator, 4, 7) + 2, normal(generator, 4, 7) - 1
    return (_pair_case("drawn", student, teacher),)


def _limit(student_logits, teacher_logits):
    return _centred(student_logits - teacher_logits) / student_logits.shape[1]


def _centred_as_a_whole(student_logits, teacher_logits):
    gap = student_logits - teacher_logits
    return (gap - gap.mean()) / gap.shape[1]


HIGH_TEMPERATURE = Question(
    id="KD02-E5",
    title="The gradient at a high temperature",
    minutes=10,
    signature=(
        'high_temperature_gradient(student_logits: Float[Tensor, "batch classes"], '
        'teacher_logits: Float[Tensor, "batch classes"]) -> Float[Tensor, "batch classes"]'
    ),
    statement=(
        "Return what the gradient of one example's T^2 KL on its student logits tends to when T "
        "grows: one row an example, not divided by the batch size."
    ),
    reference=_limit,
    cases=(
        _pair_case("two classes", tensor([[3.0, 0.0]]), tensor([[0.0, 1.0]])),
        _pair_case(
            "two examples, three classes",
            tensor([[6.0, 0.0, 0.0], [1.0, 2.0, 0.0]]),
            tensor([[0.0, 3.0, 0.0], [4.0, 2.0, 3.0]]),
        ),
        _pair_case("equal up to a shift", tensor([[1.0, 2.0, 3.0]]), tensor([[4.0, 5.0, 6.0]])),
        _pair_case("large", tensor([[1e4, -1e4], [0.0, 0.0]]), tensor([[-1e4, 1e4], [1.0, 0.0]])),
    ),
    draw=_draw_pair,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "not centred",
            "A shift of all logits changes no probability, so it must not enter the gradient. "
            "Subtract each row's mean from student and teacher.",
            (
                lambda student_logits, teacher_logits: (
                    (student_logits - teacher_logits) / student_logits.shape[1]
                ),
            ),
        ),
        Mistake(
            "1/N missing",
            "Each softened probability tends to 1/N, and this factor stays in the limit.",
            (lambda student_logits, teacher_logits: _centred(student_logits - teacher_logits),),
        ),
        Mistake(
            "neither centred nor divided",
            "Subtract each row's mean over the classes, and divide by their number N: each "
            "softened probability tends to 1/N.",
            (lambda student_logits, teacher_logits: student_logits - teacher_logits,),
        ),
        Mistake(
            "N = 10 written in",
            "The number of classes is not always 10. Take it from the logits: shape[1].",
            (
                lambda student_logits, teacher_logits: (
                    _centred(student_logits - teacher_logits) / 10
                ),
            ),
        ),
        Mistake(
            "sign",
            "The gradient is student minus teacher: descent moves the student to the teacher.",
            (lambda student_logits, teacher_logits: _limit(teacher_logits, student_logits),),
        ),
        Mistake(
            "divided by the batch size too",
            "This is the gradient of the batch mean; the question asks for one of each example.",
            (
                lambda student_logits, teacher_logits: (
                    _limit(student_logits, teacher_logits) / len(student_logits)
                ),
            ),
        ),
        Mistake(
            "divided by the batch size instead of the classes",
            "N is the number of classes, not of examples.",
            (
                lambda student_logits, teacher_logits: (
                    _centred(student_logits - teacher_logits) / len(student_logits)
                ),
            ),
        ),
        Mistake(
            "centred over the batch",
            "dim=0 runs over the examples. Subtract each row's mean: dim=1, keepdim=True.",
            (
                lambda student_logits, teacher_logits: (
                    _centred(student_logits - teacher_logits, dim=0) / student_logits.shape[1]
                ),
            ),
        ),
        Mistake(
            "one mean for all rows",
            "mean() without dim runs over all examples. Each row has its own mean: dim=1, "
            "keepdim=True.",
            (_centred_as_a_whole,),
        ),
    ),
)


def _bias_case(name, logits, missing_class, bias):
    return Case(name, {"logits": logits, "missing_class": missing_class, "bias": bias})


def _draw_bias(generator):
    return (_bias_case("drawn", normal(generator, 6, 10), 7, between(generator, 1.0, 5.0)),)


def _raised(logits, missing_class, bias):
    raised = logits.clone()
    raised[:, missing_class] += bias
    return raised


def _raised_in_place(logits, missing_class, bias):
    logits[:, missing_class] += bias
    return logits


def _raised_row(logits, missing_class, bias):
    raised = logits.clone()
    raised[missing_class] += bias
    return raised


BIAS = Question(
    id="KD02-E6",
    title="Give a class that was never seen its chance",
    minutes=5,
    signature=(
        'corrected_bias(logits: Float[Tensor, "batch classes"], missing_class: int, bias: float) '
        '-> Float[Tensor, "batch classes"]'
    ),
    statement=(
        "Return the logits with `bias` added to the column of `missing_class`. The tensor that "
        "came in stays as it is."
    ),
    reference=_raised,
    cases=(
        _bias_case("class 1, bias 2", tensor([[1.0, 0.0, 3.0], [0.0, 5.0, 0.0]]), 1, 2.0),
        _bias_case("class 0, bias -3", tensor([[4.0, 1.0]]), 0, -3.0),
        _bias_case("large logits", tensor([[1e4, -1e4, 0.0], [0.0, 0.0, 0.0]]), 1, 2e4),
    ),
    draw=_draw_bias,
    comparison=COPIED,
    mistakes=(
        Mistake(
            "in place",
            "The caller's logits are overwritten, so a second call would add the bias twice. "
            "Change a clone().",
            (_raised_in_place,),
        ),
        Mistake(
            "all classes",
            "A bias on every class shifts whole rows and changes no prediction.",
            (lambda logits, missing_class, bias: logits + bias,),
        ),
        Mistake(
            "wrong sign",
            "The missing class is predicted too rarely: its logit is raised by the bias.",
            (lambda logits, missing_class, bias: _raised(logits, missing_class, -bias),),
        ),
        Mistake(
            "a row instead of a column",
            "Rows are examples. The class is the second index: logits[:, missing_class].",
            (_raised_row,),
        ),
        Mistake(
            "replaced instead of raised",
            "The logit is set to the bias; what the student knew about the class is lost.",
            (
                lambda logits, missing_class, bias: logits.index_fill(
                    1, torch.tensor([missing_class]), bias
                ),
            ),
        ),
    ),
)
