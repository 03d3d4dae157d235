"""A teacher whose dark knowledge is permuted: Furlanello et al.'s control."""

import torch
from torch import Tensor, tensor

from kdlab.grading.questions._common import FLOAT32, classes, normal
from kdlab.grading.spec import Case, Mistake, Question


def _others(kept: Tensor, count: int) -> Tensor:
    """Return for each row the other classes, in order of their numbers."""
    columns = torch.arange(count).expand(len(kept), count)
    return columns[columns != kept[:, None]].view(len(kept), count - 1)


def _dealt(probabilities, orders, others):
    dealt = probabilities.gather(1, others).gather(1, orders)
    return probabilities.scatter(1, others, dealt)


def _permuted(probabilities, orders):
    return _dealt(probabilities, orders, _others(probabilities.argmax(1), probabilities.shape[1]))


def _everywhere(probabilities, orders):
    """Permute all classes: the largest moves, too."""
    last = torch.full_like(orders[:, :1], orders.shape[1])
    return probabilities.gather(1, torch.cat([orders, last], dim=1))


def _first_kept(probabilities, orders):
    zero = torch.zeros(len(orders), dtype=torch.int64)
    return _dealt(probabilities, orders, _others(zero, probabilities.shape[1]))


def _by_size(probabilities, orders):
    """Permute the others in the order of their probabilities."""
    largest_first = probabilities.argsort(dim=1, descending=True)
    return _dealt(probabilities, orders, largest_first[:, 1:])


def _averaged(probabilities, orders):
    top = probabilities.max(dim=1, keepdim=True)
    rest = (1 - top.values) / (probabilities.shape[1] - 1)
    return rest.expand_as(probabilities).scatter(1, top.indices, top.values)


def _hardened(probabilities, orders):
    return torch.zeros_like(probabilities).scatter(1, probabilities.argmax(1, keepdim=True), 1.0)


MISTAKES = (
    Mistake(
        "all classes permuted",
        "The largest probability must stay where it is; only the others change places.",
        (_everywhere,),
    ),
    Mistake(
        "class 0 kept",
        "The class that stays is each row's most likely one, which need not be the first.",
        (_first_kept,),
    ),
    Mistake(
        "every row in one order",
        "Each row has an order of its own: row b of `orders` belongs to row b of the "
        "probabilities.",
        (lambda probabilities, orders: _permuted(probabilities, orders[:1].expand_as(orders)),),
    ),
    Mistake(
        "the other way round",
        "Place j receives what stood in place orders[j]; here place orders[j] received what "
        "stood in place j.",
        (lambda probabilities, orders: _permuted(probabilities, orders.argsort(dim=1)),),
    ),
    Mistake(
        "the others in the order of their probabilities",
        "The j-th of the other classes is meant by the classes' numbers, not by their size.",
        (_by_size,),
    ),
    Mistake(
        "the others made equal",
        "This gives all other classes the same, another control. Permuting keeps their values.",
        (_averaged,),
    ),
    Mistake(
        "the others thrown away",
        "The other classes keep their probabilities, in another order.",
        (_hardened,),
    ),
    Mistake(
        "nothing changed",
        "These are the probabilities as they came. Deal out those of the other classes anew.",
        (lambda probabilities, orders: probabilities.clone(),),
    ),
)


def _draw(generator):
    def case(batch, count):
        predicted = normal(generator, batch, count, scale=2.0).softmax(dim=1)
        # The first row's most likely class is not the first one.
        predicted[0] = predicted[0].sort().values
        rows = [torch.randperm(count - 1, generator=generator) for _ in range(batch)]
        shift = 1 + classes(generator, 1, of=count - 2).item()
        # One cycle, so that no order undoes itself and two rows differ.
        rows[0] = (torch.arange(count - 1) + shift) % (count - 1)
        rows[1] = rows[0].flip(0)
        given = {"probabilities": predicted, "orders": torch.stack(rows)}
        return Case(f"{batch} of {count} classes", given)

    return case(5, 10), case(7, 6)


PERMUTED = Question(
    id="KD07-E1",
    title="Permute the dark knowledge",
    minutes=15,
    signature=(
        'permute_others(probabilities: Float[Tensor, "batch classes"], '
        'orders: Int64[Tensor, "batch others"]) -> Float[Tensor, "batch classes"]'
    ),
    statement=(
        "Each row's largest probability stays. Of the other classes, in the order of their "
        "numbers, the j-th gets the probability of the orders[b, j]-th. others = classes - 1."
    ),
    reference=_permuted,
    cases=(
        Case(
            "two of four classes",
            {
                "probabilities": tensor([[0.1, 0.6, 0.25, 0.05], [0.2, 0.15, 0.3, 0.35]]),
                "orders": tensor([[1, 2, 0], [2, 1, 0]]),
            },
        ),
        Case(
            "one of five classes",
            {
                "probabilities": tensor([[0.02, 0.08, 0.2, 0.1, 0.6]]),
                "orders": tensor([[3, 0, 1, 2]]),
            },
        ),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=MISTAKES,
)
