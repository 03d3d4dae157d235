"""Question 1 of homework 3: what paths of assistants cost.

Variants are called with p (padded paths, one a row) and c (costs by size).
"""

import torch
from torch import Tensor, tensor

from kdlab.grading.questions._common import FLOAT32, between
from kdlab.grading.spec import Case, Mistake, Question
from kdlab.schemes.paths import prefixes


def _tuples(paths: Tensor) -> list[tuple[int, ...]]:
    """Return the paths without the zeros behind them."""
    return [tuple(size for size in path if size) for path in paths.tolist()]


def _bill(networks, costs, size=lambda network: network[-1]):
    """Return how many networks there are, and what they cost together."""
    networks = list(networks)
    return len(networks), sum(float(costs[size(network)]) for network in networks)


def cost_of_paths(paths, costs):
    """Return number and cost of all different beginnings."""
    return _bill(prefixes(_tuples(paths)), costs)


def _every(parts, kept=set, size=lambda network: network[-1]):
    """Return the bill for other parts of the paths than their different beginnings."""
    return lambda p, c: _bill(kept(part for path in _tuples(p) for part in parts(path)), c, size)


def _beginnings(path, low=1, beyond=0):
    """Yield the beginnings of a path, from so many networks on, and so many at the end less."""
    return [path[:length] for length in range(low, len(path) + 1 - beyond)]


def _from_the_end(path):
    return [path[start:] for start in range(len(path))]


def _pairs(path):
    return list(zip(path, path[1:], strict=False))


def _whole(p, c):
    count, _ = cost_of_paths(p, c)
    return count, sum(float(c[size]) for network in prefixes(_tuples(p)) for size in network)


def _with_zeros(p, c):
    rows = [tuple(path) for path in p.tolist()]
    return _bill({path[:n] for path in rows for n in range(1, len(path) + 1)}, c)


def _one_more(p, c):
    count, cost = cost_of_paths(p, c)
    return count + 1, cost


def _as_sets(p, c):
    networks = {frozenset(part): part for path in _tuples(p) for part in _beginnings(path)}
    return _bill(networks.values(), c)


MISTAKES = (
    Mistake(
        "shared beginnings counted again",
        "Paths that begin alike share what they begin with: (10, 6, 4) and (10, 6, 2) have the "
        "networks (10) and (10, 6) in common, and those are trained once.",
        (
            _every(_beginnings, kept=list),
            lambda p, c: _bill((part for path in set(_tuples(p)) for part in _beginnings(path)), c),
        ),
    ),
    Mistake(
        "only the teacher is shared",
        "Paths share all they begin with, the assistants included, and not the first network "
        "alone.",
        (
            lambda p, c: _bill(
                [*{path[:1] for path in _tuples(p)}]
                + [part for path in _tuples(p) for part in _beginnings(path, low=2)],
                c,
            ),
        ),
    ),
    Mistake(
        "one network a size",
        "Two networks of one size are different ones if they had different teachers: a 4 taught "
        "by a 10 is not a 4 taught by a 6.",
        (_every(lambda path: [(size,) for size in path]),),
    ),
    Mistake(
        "one network for each pair of teacher and student",
        "Who taught the teacher counts as well: a 2 taught by a 4 depends on whether that 4 "
        "learnt from a 10 or from a 6. A network is a whole beginning of a path.",
        (_every(lambda path: [path[:1], *_pairs(path)]), _every(_pairs)),
    ),
    Mistake(
        "one network for each place and size",
        "Two networks of one size at the same place of their paths are different ones if what "
        "comes before them differs.",
        (_every(lambda path: list(enumerate(path))),),
    ),
    Mistake(
        "ends shared instead of beginnings",
        "A path is trained from its first network on. What two paths end with depends on what "
        "comes before, so beginnings are shared: path[:n], and not path[n:].",
        (_every(_from_the_end), _every(_from_the_end, size=lambda network: network[0])),
    ),
    Mistake(
        "the teacher forgotten",
        "The first network of a path is trained too, from labels: a beginning of length 1.",
        (_every(lambda path: _beginnings(path, low=2)),),
    ),
    Mistake(
        "the last network of each path forgotten",
        "range(1, len(path)) stops before the whole path. The student at its end is trained too.",
        (_every(lambda path: _beginnings(path, beyond=1)),),
    ),
    Mistake(
        "only the ends of the paths",
        "Teachers and assistants on the way have to be trained as well.",
        (_every(lambda path: [path]),),
    ),
    Mistake(
        "the empty beginning counted",
        "path[:0] is no network. Beginnings have length 1 and more.",
        (_one_more,),
    ),
    Mistake(
        "zeros taken for networks",
        "The zeros behind a short path fill the table; they are no sizes.",
        (_with_zeros,),
    ),
    Mistake(
        "each network pays for all before it",
        "The number is right. But a network costs what its own size costs: its teachers are "
        "counted by themselves.",
        (_whole,),
    ),
    Mistake(
        "order and repetition lost",
        "A set forgets how often a size comes and in which order. Keep a beginning as a tuple: "
        "(6, 6) is a 6 taught by a 6.",
        (_as_sets,),
    ),
)

# Paths over sizes drawn from large to small, 1 the largest; 0 fills up.
_SHARED = ((1, 2, 3, 4), (1, 2, 4, 0), (1, 3, 0, 0), (1, 3, 4, 0), (2, 3, 4, 0))
_TEACHERS = ((1, 2, 3, 0), (2, 3, 0, 0), (1, 4, 3, 0), (2, 4, 3, 0), (1, 2, 4, 3))
_REPEATED = ((1, 1, 1), (1, 1, 0), (1, 2, 1), (1, 2, 1), (2, 1, 0))
_LARGEST = 10


def _case(name, paths, costs, weight=1.0, extreme=False):
    return Case(name, {"paths": paths, "costs": costs}, weight, extreme=extreme)


def _draw(generator):
    def case(name, ranks, weight=1.0, extreme=False):
        sizes = 1 + torch.randperm(_LARGEST, generator=generator)[:4]
        sizes = torch.cat([tensor([0]), sizes.sort(descending=True).values])
        order = torch.randperm(len(ranks), generator=generator)
        costs = [0.0] + [between(generator, 0.5, 9.5) for _ in range(_LARGEST)]
        return _case(name, sizes[tensor(ranks)][order], tensor(costs), weight, extreme)

    return (
        case("five paths", _SHARED, weight=2.0),
        case("two teachers", _TEACHERS),
        case("sizes and paths that come again", _REPEATED, extreme=True),
    )


_COSTS = tensor([0.0, 0.5, 1.0, 1.5, 2.25, 3.0, 4.0, 5.0, 6.5, 8.0, 10.0])

COST_OF_PATHS = Question(
    id="hw3-q1",
    title="What paths of assistants cost",
    minutes=10,
    signature=(
        'cost_of_paths(paths: Int64[Tensor, "paths longest"], costs: Float[Tensor, "sizes"]) '
        "-> tuple[int, float]"
    ),
    statement=(
        "Return how many networks have to be trained for these paths, and the sum of their "
        "costs. A row of paths holds sizes, the first teacher first, and zeros behind the last; "
        "each network learns from the one before it, the first from labels. What several paths "
        "begin with is trained once. costs[s] is what one network of size s costs."
    ),
    reference=cost_of_paths,
    cases=(
        _case(
            "four paths",
            tensor([[10, 6, 4, 2], [10, 6, 2, 0], [10, 2, 0, 0], [6, 4, 2, 0]]),
            _COSTS,
        ),
        _case("two paths", tensor([[10, 6, 2], [10, 2, 0]]), _COSTS),
        _case("sizes and paths that come again", tensor([[6, 6, 6], [6, 4, 6], [6, 4, 6]]), _COSTS),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=MISTAKES,
    points=4,
)
