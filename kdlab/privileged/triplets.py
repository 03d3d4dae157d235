"""Examples with privileged information: what student and teacher see, and the answer."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from kdlab._checks import check_same_length


@dataclass(frozen=True, eq=False)
class Triplets:
    """x, x* and y of so many examples, row by row.

    Attributes:
        inputs: x, what the student sees, in training and afterwards.
        privileged: x*, what the teacher sees, in training only.
        targets: y: classes, or numbers to predict.
    """

    inputs: Float[Tensor, "examples features"]
    privileged: Float[Tensor, "examples explanations"]
    targets: Int64[Tensor, "examples"] | Float[Tensor, "examples outputs"]

    def __post_init__(self) -> None:
        """Raise ValueError if the three differ in length."""
        check_same_length(inputs=self.inputs, privileged=self.privileged, targets=self.targets)

    def __len__(self) -> int:
        return len(self.targets)


def standardize(train: Triplets, test: Triplets) -> tuple[Triplets, Triplets]:
    """Give every column of x and of x* mean 0 and standard deviation 1 on the training part.

    The test part is moved and scaled by the training part's numbers. A column that doesn't
    vary is moved only.

    Args:
        train: Its columns decide; at least two examples.
        test: As many columns of each kind.

    Raises:
        ValueError: train holds fewer than two examples, or the columns differ in number.
    """
    if len(train) < 2:
        raise ValueError(f"train must hold at least two examples, got {len(train)}")
    inputs = _standardize(train.inputs, test.inputs, "inputs")
    privileged = _standardize(train.privileged, test.privileged, "privileged")
    both = zip(inputs, privileged, (train.targets, test.targets), strict=True)
    ours, theirs = (Triplets(*part) for part in both)
    return ours, theirs


def _standardize(train: Tensor, test: Tensor, name: str) -> tuple[Tensor, Tensor]:
    if train.shape[1] != test.shape[1]:
        came = f"{train.shape[1]} and {test.shape[1]}"
        raise ValueError(f"{name} of train and test must have equally many columns, got {came}")
    spread, mean = torch.std_mean(train, dim=0, correction=0)
    spread = spread.masked_fill(spread == 0, 1)
    return (train - mean) / spread, (test - mean) / spread
