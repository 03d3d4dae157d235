"""What is read off a trained network besides its test errors."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from kdlab import metrics
from kdlab.data import Dataset
from kdlab.schemes import predict

#: Where a bias is looked for: steps of 0.1 from -20 to 20.
SHIFTS = torch.arange(-200, 201) / 10


def with_bias(*classes: int) -> Callable[[nn.Module, Dataset], dict[str, float]]:
    """Return a measure: what one number added to the biases of some classes repairs.

    A student that never saw a class expects it too seldom; Hinton et al. raise its bias. They
    choose the number that is best on the test set. Here it is the one that is best on the
    training set; the other one is measured beside it.

    Args:
        classes: Whose biases are moved, all by the same number.

    Returns:
        A measure with "bias" (the number chosen on training images), "errors_bias" (test errors
        with it), "errors_classes_raw" and "errors_classes" (of these errors, those on test
        images of the classes, without and with it), "bias_test" and "errors_bias_test" (the
        same where the number is chosen on the test images, as in the paper).
    """

    def with_bias(model: nn.Module, dataset: Dataset) -> dict[str, float]:
        train = predict(model, dataset.train_images), dataset.train_targets
        test = predict(model, dataset.test_images), dataset.test_targets
        chosen, chosen_on_test = (_best_shift(*pair, classes) for pair in (train, test))
        moved = shifted(test[0], classes, chosen)
        return {
            "bias": chosen,
            "errors_bias": metrics.errors(moved, test[1]),
            "errors_classes_raw": _errors_on(*test, classes),
            "errors_classes": _errors_on(moved, test[1], classes),
            "bias_test": chosen_on_test,
            "errors_bias_test": metrics.errors(shifted(test[0], classes, chosen_on_test), test[1]),
        }

    with_bias.__name__ = f"with_bias{classes}"
    return with_bias


def shifted(logits: Tensor, classes: tuple[int, ...], by: float) -> Tensor:
    """Return logits with a number added to those of some classes."""
    moved = logits.clone()
    moved[:, list(classes)] += by
    return moved


def _best_shift(logits: Tensor, targets: Tensor, classes: tuple[int, ...]) -> float:
    """Return the number with the fewest errors; of several the middle one."""
    counts = [metrics.errors(shifted(logits, classes, float(by)), targets) for by in SHIFTS]
    best = [float(by) for by, count in zip(SHIFTS, counts, strict=True) if count == min(counts)]
    return round(best[len(best) // 2], 1)


def _errors_on(logits: Tensor, targets: Tensor, classes: tuple[int, ...]) -> int:
    of = torch.isin(targets, torch.tensor(classes, device=targets.device))
    return metrics.errors(logits[of], targets[of])
