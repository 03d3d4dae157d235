"""The bias that repairs a class never seen: chosen on training images, counted on test images."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from kdlab.data import Dataset
from kdlab.experiments.measures import WithBias, best_bias, biased


class Lookup(nn.Module):
    """Gives an image of one pixel the logits of its number."""

    def __init__(self, table: torch.Tensor) -> None:
        super().__init__()
        self.table = table

    def forward(self, images):
        return self.table[(images.flatten() * 255).round().long()]


# Class 2 is never first. With more than 1.0 the training images of class 2 are right, with more
# than 2.0 one of class 0 is wrong. On the test images the borders are 3.0 and 4.0.
TABLE = torch.tensor(
    [[3.0, 0.0, 1.0], [0.0, 9.0, 0.0], [2.0, 0.0, 1.0], [5.0, 0.0, 1.0], [4.0, 0.0, 1.0]]
)
TRAIN, TEST = ((0, 0), (1, 1), (2, 2)), ((3, 0), (1, 1), (4, 2), (4, 2))


def images(pairs) -> tuple[torch.Tensor, torch.Tensor]:
    numbers, targets = torch.tensor(pairs).T
    return numbers.to(torch.uint8).view(-1, 1, 1, 1), targets.contiguous()


def dataset() -> Dataset:
    return Dataset("small", "drawn", *images(TRAIN), *images(TEST), ("0", "1", "2"))


def test_biased_adds_to_the_classes_and_leaves_its_argument():
    logits = torch.zeros(2, 3)
    assert_close(biased(logits, (0, 2), -1.5), torch.tensor([[-1.5, 0.0, -1.5]] * 2))
    assert torch.equal(logits, torch.zeros(2, 3))


# 1.1 to 2.0 are equally good, and 3.1 to 4.0: where two logits are equal the first one wins.
@pytest.mark.parametrize("pairs, expected", [(TRAIN, 1.6), (TEST, 3.6)])
def test_best_bias_is_the_middle_of_the_best(pairs, expected):
    numbers, targets = torch.tensor(pairs).T
    assert best_bias(TABLE[numbers], targets.contiguous(), (2,)) == expected


def test_with_bias_chooses_on_training_images_and_tells_what_the_test_set_would_have_said():
    found = WithBias((2,))(Lookup(TABLE), dataset())
    assert (found["bias"], found["bias_test"]) == (1.6, 3.6)
    counts = {name: found[name] for name in found if name.startswith("errors")}
    assert counts == {
        "errors_bias": 2,
        "errors_classes_raw": 2,
        "errors_classes": 2,
        "errors_bias_test": 0,
    }


def test_several_classes_move_together():
    logits, targets = torch.tensor([[0.0, 2.0, 2.0], [1.0, 2.0, 0.0], [1.0, 0.0, 2.0]]), [0, 0, 0]
    bias = best_bias(logits, torch.tensor(targets), (1, 2))
    assert bias < -2.0 and biased(logits, (1, 2), bias).argmax(1).tolist() == targets
