"""What is read off a trained network besides its test errors."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from kdlab import metrics
from kdlab.data import Dataset
from kdlab.schemes import predict

#: Where a bias is looked for: steps of 0.1 from -20 to 20.
BIASES = torch.arange(-200, 201) / 10


@dataclass(frozen=True)
class WithBias:
    """What one number added to the biases of some classes repairs.

    A student that never saw a class expects it too seldom; Hinton et al. raise its bias. They
    choose the number that is best on the test set. Here it is the one that is best on the
    training set; the other one is measured beside it.

    Attributes:
        classes: Whose biases are moved, all by the same number.
    """

    classes: tuple[int, ...]

    numbers: ClassVar[tuple[str, ...]] = (
        "bias",
        "errors_bias",
        "errors_classes_raw",
        "errors_classes",
        "bias_test",
        "errors_bias_test",
    )

    def __call__(self, model: nn.Module, dataset: Dataset) -> dict[str, float]:
        """Return what a bias does, by name.

        "bias" is the number chosen on training images, "errors_bias" the test errors with it;
        "errors_classes_raw" and "errors_classes" are those on test images of the classes,
        without and with it. "bias_test" and "errors_bias_test" are number and errors where it
        is chosen on the test images, as in the paper.
        """
        train = predict(model, dataset.train_images), dataset.train_targets
        test = predict(model, dataset.test_images), dataset.test_targets
        ours, theirs = (best_bias(*pair, self.classes) for pair in (train, test))
        moved = biased(test[0], self.classes, ours)
        flattered = biased(test[0], self.classes, theirs)
        return {
            "bias": ours,
            "errors_bias": metrics.errors(moved, test[1]),
            "errors_classes_raw": _errors_on(*test, self.classes),
            "errors_classes": _errors_on(moved, test[1], self.classes),
            "bias_test": theirs,
            "errors_bias_test": metrics.errors(flattered, test[1]),
        }


def biased(logits: Tensor, classes: tuple[int, ...], bias: float) -> Tensor:
    """Return logits with a number added to those of some classes."""
    moved = logits.clone()
    moved[:, list(classes)] += bias
    return moved


def best_bias(logits: Tensor, targets: Tensor, classes: tuple[int, ...]) -> float:
    """Return the number of `BIASES` with the fewest errors; of several the middle one."""
    counts = [metrics.errors(biased(logits, classes, float(b)), targets) for b in BIASES]
    best = [float(b) for b, count in zip(BIASES, counts, strict=True) if count == min(counts)]
    return round(best[len(best) // 2], 1)


def _errors_on(logits: Tensor, targets: Tensor, classes: tuple[int, ...]) -> int:
    of = torch.isin(targets, torch.tensor(classes, device=targets.device))
    return metrics.errors(logits[of], targets[of])
