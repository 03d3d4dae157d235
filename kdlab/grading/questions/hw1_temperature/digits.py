"""Fresh sets of photographed digits for question 6 of homework 1, with a teacher's logits.

The 1,797 digits are public. So every set is photographed anew: through a camera that is held
at an angle, perhaps into a mirror, and adds noise. The teacher saw the digits upright.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdlab import data, models, schemes
from kdlab.grading.questions._common import between
from kdlab.grading.spec import Case

#: Pixels of a photograph's side; it shows 1.5 times the digit's side, so that no angle cuts.
SIDE = 12
#: Training images a class, and held-out images.
EACH, TESTS = 3, 1000
_FIELD = 1.5
_NOISE = 0.02
_TEACHERS = 599


class Later(Mapping):
    """Values that are made when one is first read: the digits and their teacher take seconds."""

    def __init__(self, make: Callable[[], Mapping[str, object]]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> Mapping[str, object]:
        return self._make()

    def __getitem__(self, name: str) -> object:
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


def draw_case(name: str, generator: torch.Generator) -> Case:
    """Draw training and held-out digits that the teacher never saw, and photograph them."""
    images, targets = _digits()
    train, tests = _split(targets, generator)
    both = torch.cat([train, tests])
    angle, mirrored = between(generator, 0.0, 2 * math.pi), between(generator, 0.0, 1.0) < 0.5
    photographs = photograph(images[both], angle=angle, mirrored=mirrored)[:, 0]
    photographs += _NOISE * torch.randn(photographs.shape, generator=generator)
    inputs = {
        "images": photographs[: len(train)],
        "targets": targets[train],
        "teacher_logits": schemes.predict(_teacher(), photograph(images[train])),
        "test_images": photographs[len(train) :],
        "seed": int(torch.randint(2**31, (), generator=generator)),
    }
    return Case(name, inputs, hidden={"targets": targets[tests]})


def visible_case(name: str, seed: int) -> Case:
    """Return the case of a fixed seed, drawn when it is first looked at."""

    @cache
    def drawn() -> Case:
        return draw_case(name, torch.Generator().manual_seed(seed))

    return Case(name, Later(lambda: drawn().inputs), hidden=Later(lambda: drawn().hidden))


def photograph(images: Tensor, *, angle: float = 0.0, mirrored: bool = False) -> Tensor:
    """Turn a batch of digits by one angle and take SIDE x SIDE pictures of them."""
    cos, sin, side = math.cos(angle), math.sin(angle), -1 if mirrored else 1
    turn = _FIELD * torch.tensor([[side * cos, -sin, 0.0], [side * sin, cos, 0.0]])
    size = (len(images), 1, SIDE, SIDE)
    grid = F.affine_grid(turn.expand(len(images), 2, 3), size, align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


def teacher_errors(seed: int) -> int:
    """Count the teacher's errors on the held-out digits of a seed, seen upright."""
    images, targets = _digits()
    _, tests = _split(targets, torch.Generator().manual_seed(seed))
    return schemes.evaluate(_teacher(), photograph(images[tests]), targets[tests])


def _split(targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw EACH training images of every class, and TESTS others."""
    order = _TEACHERS + torch.randperm(len(targets) - _TEACHERS, generator=generator)
    by_class = [order[targets[order] == label] for label in range(10)]
    train = torch.cat([found[:EACH] for found in by_class])
    # Shuffled: the place of a training image must not tell its class.
    train = train[torch.randperm(len(train), generator=generator)]
    return train, order[~torch.isin(order, train)][:TESTS]


@cache
def _digits() -> tuple[Tensor, Tensor]:
    dataset = data.load("digits")
    images = torch.cat([dataset.train_images, dataset.test_images])
    return data.to_float(images), torch.cat([dataset.train_targets, dataset.test_targets])


@cache
def _teacher() -> nn.Module:
    """Train the teacher on digits that are in no set, once a process: always the same one."""
    images, targets = (part[:_TEACHERS] for part in _digits())
    model = models.mlp((SIDE * SIDE, 256, 10), seed=0)
    seen = (255 * photograph(images)).round().byte()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    schemes.train(model, data.Batches(seen, targets, batch_size=128), optimizer, epochs=40)
    return model
