"""The 1,797 real digits that scikit-learn ships: always there, no network."""

import torch

from kdlab.data.dataset import Tensors

_TRAIN = 1297
_LARGEST = 16


def read_digits() -> Tensors:
    """Return training images and targets, test images and targets.

    The 8 x 8 images are enlarged to MNIST's 28 x 28, their grey levels from 0..16 to 0..255.
    The split (1,297 and 500) is drawn once, by a fixed seed.
    """
    # Inside, so that `import kdlab.data` costs torch and no more.
    from sklearn.datasets import load_digits

    found = load_digits()
    small = torch.from_numpy(found.images).float()[:, None] * (255 / _LARGEST)
    images = torch.nn.functional.interpolate(small, (28, 28), mode="bilinear").round().byte()
    targets = torch.from_numpy(found.target).long()
    order = torch.randperm(len(targets), generator=torch.Generator().manual_seed(0))
    train, test = order[:_TRAIN], order[_TRAIN:]
    return images[train], targets[train], images[test], targets[test]
