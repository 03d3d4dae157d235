"""The 1,797 real digits that scikit-learn ships: always there, no network."""

import importlib.util
from pathlib import Path

import numpy as np
import torch

from kdlab.data.dataset import Tensors

_TRAIN = 1297
_LARGEST = 16


def read_digits() -> Tensors:
    """Return training images and targets, test images and targets.

    The 8 x 8 images are enlarged to MNIST's 28 x 28, their grey levels from 0..16 to 0..255.
    The split (1,297 and 500) is drawn once, by a fixed seed.
    """
    table = torch.from_numpy(_read_table())
    small = table[:, :-1].reshape(-1, 1, 8, 8).float() * (255 / _LARGEST)
    images = torch.nn.functional.interpolate(small, (28, 28), mode="bilinear").round().byte()
    targets = table[:, -1].long()
    order = torch.randperm(len(targets), generator=torch.Generator().manual_seed(0))
    train, test = order[:_TRAIN], order[_TRAIN:]
    return images[train], targets[train], images[test], targets[test]


def _read_table() -> np.ndarray:
    """Return one row an image: its 64 grey levels and its class."""
    spec = importlib.util.find_spec("sklearn")
    for place in (spec.submodule_search_locations or []) if spec else []:
        file = Path(place) / "datasets" / "data" / "digits.csv.gz"
        if file.is_file():
            # The file itself: importing scikit-learn takes a second, and this is all we want.
            return np.loadtxt(file, delimiter=",")
    from sklearn.datasets import load_digits

    found = load_digits()
    return np.column_stack([found.data, found.target])
