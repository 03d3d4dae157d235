"""Question 2 of homework 5: the distance class by class.

Variants are called with x, y (real embeddings and targets), s, t (synthetic ones) and n (classes).
"""

import torch
import torch.nn.functional as F
from torch import tensor

from kdlab.grading.questions.hw5_condensation.distance import (
    WITH_GRADIENT,
    mean_embedding_distance,
    two_sides,
)
from kdlab.grading.spec import Case, Mistake, Question


def _of_class(x, y, s, t, c):
    return mean_embedding_distance(x[y == c], s[t == c])


def class_embedding_distance(real, real_targets, synthetic, synthetic_targets, classes):
    """Return the sum over classes of the squared distance of their means, a scalar."""
    there = [c for c in range(classes) if (real_targets == c).any()]
    return sum(_of_class(real, real_targets, synthetic, synthetic_targets, c) for c in there)


def _over(chosen, weight=lambda y, t, c, n: 1.0):
    """Return the sum over other classes, each with a weight."""

    def distance(x, y, s, t, n):
        return sum(weight(y, t, c, n) * _of_class(x, y, s, t, c) for c in chosen(y, n))

    return distance


def _those_there(y, n):
    return y.unique().tolist()


def _weighted(weight):
    return _over(_those_there, weight)


def _each(measure):
    """Return the sum over classes of another measure of the two sides."""

    def distance(x, y, s, t, n):
        return sum(measure(x[y == c], s[t == c]) for c in _those_there(y, n))

    return distance


def _sums(x, y, n):
    return F.one_hot(y, n).to(x).T @ x


def _in_order(x, y, s, t, n):
    """Take the synthetic rows to be sorted by class."""
    order = t.sort().values
    return class_embedding_distance(x, y, s, order, n)


MISTAKES = (
    Mistake(
        "blind to classes",
        "This compares the means of all examples. It doesn't see whether a 3 looks like a 5: sum "
        "over the classes, each with its own two means.",
        (lambda x, y, s, t, n: mean_embedding_distance(x, s),),
    ),
    Mistake(
        "a mean over the classes",
        "Asked for is the sum over classes.",
        (_weighted(lambda y, t, c, n: 1 / n), _weighted(lambda y, t, c, n: 1 / len(y.unique()))),
    ),
    Mistake(
        "classes weighed by how many they are",
        "Every class counts 1, however many examples it has.",
        (
            _weighted(lambda y, t, c, n: (y == c).sum() / len(y)),
            _weighted(lambda y, t, c, n: (t == c).sum() / len(t)),
            _weighted(lambda y, t, c, n: (y == c).sum()),
            _weighted(lambda y, t, c, n: (t == c).sum()),
        ),
    ),
    Mistake(
        "sums instead of means",
        "A class's mean is its sum divided by the number of its examples, on each side by its own.",
        (lambda x, y, s, t, n: (_sums(x, y, n) - _sums(s, t, n)).square().sum(),),
    ),
    Mistake(
        "divided by the whole batch",
        "A class's mean is over the class: divide by the number of its examples and not by that "
        "of the batch.",
        (lambda x, y, s, t, n: (_sums(x, y, n) / len(x) - _sums(s, t, n) / len(s)).square().sum(),),
    ),
    Mistake(
        "the batch divided by the number of classes",
        "Classes need not be equally many: count the examples of each.",
        (
            lambda x, y, s, t, n: (
                (_sums(x, y, n) / (len(x) / n) - _sums(s, t, n) / (len(s) / n)).square().sum()
            ),
        ),
    ),
    Mistake(
        "the distance not squared",
        "Each class's distance is squared before it is summed.",
        (_each(lambda x, s: mean_embedding_distance(x, s).sqrt()),),
    ),
    Mistake(
        "a mean over the values",
        "A squared distance is the sum of squares over the embedding's values: F.mse_loss "
        "divides by their number.",
        (_each(lambda x, s: mean_embedding_distance(x, s) / x.shape[1]),),
    ),
    Mistake(
        "a distance of examples instead of means",
        "First the means of the class, then their distance; not the mean of the pairs' distances.",
        (_each(lambda x, s: (x[:, None] - s[None]).square().sum(dim=2).mean()),),
    ),
    Mistake(
        "classes added before the square",
        "Gaps of two classes must not cancel: square each class's gap, then sum.",
        (
            lambda x, y, s, t, n: (
                sum(x[y == c].mean(dim=0) - s[t == c].mean(dim=0) for c in _those_there(y, n))
                .square()
                .sum()
            ),
        ),
    ),
    Mistake(
        "each class against all real ones",
        "The real side is the class's, too: real[real_targets == c].",
        (lambda x, y, s, t, n: sum(mean_embedding_distance(x, s[t == c]) for c in t.unique()),),
    ),
    Mistake(
        "the first class left out",
        "Classes are counted from 0: range(classes).",
        (_over(lambda y, n: [c for c in _those_there(y, n) if c > 0]),),
    ),
    Mistake(
        "the last class left out",
        "Classes go from 0 to classes - 1: range(classes).",
        (_over(lambda y, n: [c for c in _those_there(y, n) if c < n - 1]),),
    ),
    Mistake(
        "synthetic rows taken to be in order",
        "Which class a synthetic row has is said by synthetic_targets, in whatever order.",
        (_in_order,),
    ),
    Mistake(
        "the mean of no example",
        "A class that neither side has counts 0. Its mean is 0 divided by 0: leave it out.",
        (
            _over(lambda y, n: range(n)),
            lambda x, y, s, t, n: (
                (
                    _sums(x, y, n) / y.bincount(minlength=n)[:, None]
                    - _sums(s, t, n) / t.bincount(minlength=n)[:, None]
                )
                .square()
                .sum()
            ),
        ),
    ),
    Mistake(
        "no gradient to the synthetic side",
        "The value is right, but the images are learned by its gradient. Leave out detach(), "
        "item(), numpy() and no_grad() on the synthetic side.",
        (lambda x, y, s, t, n: class_embedding_distance(x, y, s.detach(), t, n),),
    ),
)


def _case(name, real, real_targets, synthetic, synthetic_targets, classes, extreme=False, **more):
    given = {
        "real": real,
        "real_targets": real_targets,
        "synthetic": synthetic,
        "synthetic_targets": synthetic_targets,
        "classes": classes,
    }
    return Case(name, given, extreme=extreme, **more)


def _shuffled(generator, rows):
    return tensor(rows)[torch.randperm(len(rows), generator=generator)]


def _given(generator, real, synthetic, values, classes):
    """Draw two sides for the given targets; the synthetic ones are never sorted."""
    t = _shuffled(generator, synthetic)
    while (t.diff() >= 0).all():
        t = _shuffled(generator, synthetic)
    x, s = two_sides(generator, len(real), len(synthetic), values)
    y = _shuffled(generator, real)
    # Classes lie apart, on the synthetic side by something else.
    x, s = x + 2 * y[:, None], s + 3 * (t - 1)[:, None]
    return x, y, s, t, classes


def _draw(generator):
    two = [0, 0, 0, 0, 1, 1, 1], [0, 1, 1]
    three = [0, 0, 1, 1, 1, 1, 2, 2, 2], [0, 0, 0, 1, 2, 2]
    gaps = [0, 0, 0, 3, 3, 4], [0, 3, 3, 4, 4]
    return (
        _case("three classes", *_given(generator, *three, 4, 3), weight=2.0),
        _case("two classes", *_given(generator, *two, 5, 2)),
        _case("classes that neither side has", *_given(generator, *gaps, 3, 5), extreme=True),
    )


_REAL = tensor(
    [[1.0, 0.0], [3.0, 1.0], [2.0, 5.0], [4.0, 1.0], [0.0, 2.5], [6.0, 1.0], [2.0, -1.0]]
)
_Y = tensor([0, 1, 2, 1, 0, 2, 1])
_SYNTHETIC = tensor([[2.0, 1.0], [1.0, -2.0], [0.5, 0.5], [3.0, 3.5], [5.5, 0.0]])
_T = tensor([2, 0, 0, 1, 0])

CLASS_DISTANCE = Question(
    id="hw5-q2",
    title="Class by class",
    minutes=10,
    signature=(
        'class_embedding_distance(real: Float[Tensor, "real values"], '
        'real_targets: Int64[Tensor, "real"], synthetic: Float[Tensor, "synthetic values"], '
        'synthetic_targets: Int64[Tensor, "synthetic"], *, classes: int) -> Float[Tensor, ""]'
    ),
    statement=(
        "Return the sum over classes of the squared distance of the class's two mean embeddings. "
        "Both sides have the same classes; one that neither has counts 0. Gradients flow to the "
        "synthetic side."
    ),
    reference=class_embedding_distance,
    cases=(
        _case("three classes", _REAL, _Y, _SYNTHETIC, _T, 3),
        _case("two classes", _REAL[_Y < 2], _Y[_Y < 2], _SYNTHETIC[1:], _T[1:], 2),
        _case("classes that neither side has", _REAL, 2 * _Y, _SYNTHETIC, 2 * _T, 6),
    ),
    draw=_draw,
    comparison=WITH_GRADIENT,
    mistakes=MISTAKES,
    points=4,
)
