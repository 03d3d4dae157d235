"""How `features_table.WEIGHTS` were chosen: on training images held out, never on test images.

``python -m kdlab.experiments.tuning AT 0.6 6 60`` trains a student for each of these weights and
prints its errors. It is one seed of FashionMNIST with 1,000 labels, a teacher that had two epochs
and students that have forty; so differences of some tens of errors say nothing.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import nn

from kdlab import data
from kdlab.data import Dataset
from kdlab.experiments.features_table import ALONE, METHODS, STUDENT, TEACHER, THIN
from kdlab.experiments.training import train_unit
from kdlab.experiments.units import Unit

LABELS, EPOCHS, TEACHER_EPOCHS = 1_000, 40, 2


def held_out(dataset: Dataset) -> Dataset:
    """Return a data set whose test images are its last training images, as many as there were."""
    count = len(dataset.train_targets) - len(dataset.test_targets)
    images, targets = dataset.train_images, dataset.train_targets
    train = {"train_images": images[:count], "train_targets": targets[:count]}
    return replace(dataset, **train, test_images=images[count:], test_targets=targets[count:])


def teacher_of(dataset: Dataset) -> nn.Module:
    """Return the table's teacher after a short training."""
    unit = Unit("teacher", replace(TEACHER, epochs=TEACHER_EPOCHS))
    return train_unit(unit, 0, dataset)[0].requires_grad_(False)


def errors(method: str, weight: float, dataset: Dataset, teacher: nn.Module) -> int:
    """Return the errors of a student that imitates its teacher's layers at a weight."""
    recipe = replace(THIN if method == "LIT" else STUDENT, epochs=EPOCHS, **ALONE)
    how = replace(METHODS[method], weight=weight)
    unit = Unit("student", recipe, ("teacher",), examples=LABELS, imitate=how)
    return int(train_unit(unit, 0, dataset, [teacher])[1]["errors"])


def main(arguments: Sequence[str]) -> None:
    """Print a line a weight."""
    torch.set_num_threads(1)
    method, *weights = arguments
    dataset = held_out(data.load("fashion-mnist"))
    teacher = teacher_of(dataset)
    for weight in map(float, weights):
        print(f"{method} {weight:g}: {errors(method, weight, dataset, teacher)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
