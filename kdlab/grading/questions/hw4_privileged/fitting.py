"""Question 3 of homework 4: the student by weighted least squares.

Variants are called with x (inputs), r (responses) and c (their weights).
"""

import torch
from torch import Tensor, tensor

from kdlab.grading.questions._common import FLOAT32, between, normal
from kdlab.grading.spec import Case, Mistake, Question


def _nearest(x: Tensor, r: Tensor) -> Tensor:
    """Return the w with the smallest sum of (r - w x)^2."""
    return torch.linalg.lstsq(x.double(), r.double()[:, None]).solution[:, 0]


def fit_student(inputs, responses, weights):
    """Return the weights of the student, [features]."""
    roots = weights.double().sqrt()
    return _nearest(roots[:, None] * inputs, roots * responses)


def _by(power):
    """Return the fit with another power of the weights."""
    return lambda x, r, c: fit_student(x, r, c.double() ** power)


def _solved(matrix, right):
    """Return the solution of other normal equations."""

    def solved(x, r, c):
        x, r, c = x.double(), r.double(), c.double()[:, None]
        return torch.linalg.solve(matrix(x, c), right(x, r[:, None], c))[:, 0]

    return solved


def _right(x, r, c):
    return x.T @ (c * r)


def _rows(on_inputs, on_responses):
    """Multiply the rows by powers of the weights' roots that don't belong together."""

    def fitted(x, r, c):
        roots = c.double().sqrt()
        return _nearest(roots[:, None] ** on_inputs * x, roots**on_responses * r)

    return fitted


def _with_ones(x, r, c):
    return fit_student(torch.cat([torch.ones_like(x[:, :1]), x], dim=1), r, c)


def _singly(x, r, c):
    c = c[:, None]
    return (c * x * r[:, None]).sum(dim=0) / (c * x * x).sum(dim=0)


def _in_floats(x, r, c):
    weighed = c[:, None] * x
    return torch.linalg.solve(x.T @ weighed, weighed.T @ r)


def _by_diagonal(x, r, c):
    weighed = torch.diag(c)
    return torch.linalg.solve(x.T @ weighed @ x, x.T @ weighed @ r)


MISTAKES = (
    Mistake(
        "the weights not used",
        "This is the student of plain least squares. Each square has its weight c.",
        (_by(0),),
    ),
    Mistake(
        "the weights squared",
        "The rows are squared afterwards: multiply them by the roots of the weights.",
        (_by(2),),
    ),
    Mistake(
        "the roots of the weights as weights",
        "Each square has the weight c itself. Its root belongs before a row of x and y'', which is "
        "squared afterwards.",
        (_by(0.5),),
    ),
    Mistake(
        "1 over the weights",
        "c is a precision, the inverse of a variance: it multiplies the square.",
        (_by(-1),),
    ),
    Mistake(
        "the responses alone weighted",
        "X and y'' belong together: a row of both has the same weight.",
        (_solved(lambda x, c: x.T @ x, _right), _rows(0, 1), _rows(0, 2)),
    ),
    Mistake(
        "the inputs alone weighted",
        "X and y'' belong together: a row of both has the same weight.",
        (_solved(lambda x, c: x.T @ (c * x), lambda x, r, c: x.T @ r), _rows(1, 0), _rows(2, 0)),
    ),
    Mistake(
        "a constant term added",
        "The student is w x. A constant term is there only if x has a column of ones.",
        (_with_ones, lambda x, r, c: _with_ones(x, r, c)[1:]),
    ),
    Mistake(
        "each feature by itself",
        "The features overlap: one system of equations has all of w for its solution.",
        (_singly,),
    ),
    Mistake(
        "the system not solved",
        "X'C y'' is the right side of the normal equations; solve them.",
        (lambda x, r, c: (c[:, None] * x).T @ r,),
    ),
    Mistake(
        "a penalty added",
        "Asked for is the smallest sum of squares, without a penalty on w.",
        (_solved(lambda x, c: x.T @ (c * x) + torch.eye(x.shape[1]), _right),),
    ),
    Mistake(
        "fitted values instead of weights",
        "Asked for is w, one number for each feature, and not what it says of the examples.",
        (lambda x, r, c: x.double() @ fit_student(x, r, c),),
    ),
    Mistake(
        "the sign",
        "The slope of the sum of squares is 2 X'C (X w - y''): it is 0 where X'CX w = +X'C y''.",
        (lambda x, r, c: -fit_student(x, r, c),),
    ),
    Mistake(
        "rounded away in float32",
        "Beside a weight of 10^8 float32 keeps nothing of a weight of 1. Compute in double "
        "precision: inputs.double().",
        (_in_floats, _by_diagonal),
    ),
)


def _case(name, inputs, responses, weights, weight=1.0, extreme=False):
    given = {"inputs": inputs, "responses": responses, "weights": weights}
    return Case(name, given, weight, extreme=extreme)


def _rows_of(generator, examples, features, low, high):
    """Draw inputs whose columns are not too much alike, responses, and weights."""
    inputs = torch.linalg.qr(normal(generator, examples, features)).Q
    inputs = 2 * inputs + 0.3 * torch.randn(examples, features, generator=generator)
    weights = low + (high - low) * torch.rand(examples, generator=generator)
    return inputs, normal(generator, examples), weights


def _draw(generator):
    inputs, responses, weights = _rows_of(generator, 8, 3, 0.5, 2.0)
    weights[:2] = 1e8 * between(generator, 0.5, 2.0)
    return (
        _case("three features", *_rows_of(generator, 9, 3, 0.2, 4.0), weight=2.0),
        _case("two features", *_rows_of(generator, 7, 2, 0.2, 4.0)),
        _case("weights of 10^8", inputs, responses, weights, extreme=True),
    )


_X = tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0], [1.0, 4.0], [1.0, 7.0]])
_R = tensor([1.0, 3.0, 2.0, 6.0, 5.0])
_C = tensor([0.5, 4.0, 1.0, 0.25, 2.0])

FIT_STUDENT = Question(
    id="hw4-q3",
    title="The student that fits them",
    minutes=10,
    signature=(
        'fit_student(inputs: Float[Tensor, "examples features"], '
        'responses: Float[Tensor, "examples"], weights: Float[Tensor, "examples"]) '
        '-> Float[Tensor, "features"]'
    ),
    statement=(
        "Return the w with the smallest sum of c_i (y''_i - w x_i)^2. The weights c are positive "
        "and may differ by a factor of 10^8. Examples are more than features, and no feature is a "
        "mixture of others."
    ),
    reference=fit_student,
    cases=(
        _case("a line", _X, _R, _C),
        _case("one feature", _X[1:4, 1:], _R[1:4], _C[1:4]),
        _case("weights of 10^8", _X, _R, tensor([0.5, 4.0, 1.0, 0.25, 1e8])),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=MISTAKES,
    points=3,
)
