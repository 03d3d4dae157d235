"""Ask a model for its logits without leaving a trace in it."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from kdlab import metrics
from kdlab._checks import check_count, check_tensor
from kdlab.data import count_places, move_images, to_float


@contextmanager
def evaluating(model: nn.Module) -> Iterator[nn.Module]:
    """Put a model in eval mode; afterwards give every part of it its own mode back."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield model
    finally:
        for module, mode in modes:
            module.training = mode


@torch.no_grad()
def predict(
    model: nn.Module, images: Tensor, *, batch_size: int = 1000
) -> Float[Tensor, "examples classes"]:
    """Return the logits of a model in eval mode, without gradients.

    Args:
        model: Any module from images to logits; each of its parts keeps its train or eval
            mode.
        images: uint8 or float, [examples, channels, height, width]; or what else `Batches`
            takes.
        batch_size: How many images go through at once.

    Raises:
        ValueError: images is no tensor or holds none, or batch_size is no positive whole
            number.
    """
    check_tensor(images=images)
    check_count(batch_size=batch_size)
    if not len(images):
        raise ValueError("images must hold at least one image, got 0")
    with evaluating(model):
        return torch.cat([model(to_float(part)) for part in images.split(batch_size)])


@torch.no_grad()
def predict_moved(
    model: nn.Module, images: Tensor, *, shift: int, batch_size: int = 1000
) -> Float[Tensor, "members classes"]:
    """Return the logits of a model for every place of every image.

    A student that learns from moved images for more than `count_places(shift)` epochs asks its
    teacher less often this way.

    Args:
        model, images, batch_size: As in `predict`.
        shift: Each image moves by up to so many pixels in each direction.

    Returns:
        All places of the first image, then of the second, in the order of `move_images`.

    Raises:
        ValueError: As in `predict`, or shift is no whole number >= 0.
    """
    check_count(0, shift=shift)
    every = [
        predict(_At(model, place, shift), images, batch_size=batch_size)
        for place in range(count_places(shift))
    ]
    return torch.stack(every, dim=1).flatten(0, 1)


class _At(nn.Module):
    """A model that sees every image at one place."""

    def __init__(self, model: nn.Module, place: int, shift: int) -> None:
        super().__init__()
        self.model, self.place, self.shift = model, place, shift

    def forward(self, images: Tensor) -> Tensor:
        where = torch.full((len(images),), self.place, device=images.device)
        return self.model(move_images(images, where, pixels=self.shift))


def evaluate(model: nn.Module, images: Tensor, targets: Int64[Tensor, "examples"]) -> int:
    """Return the number of errors of a model in eval mode. Args as `predict`."""
    return metrics.errors(predict(model, images), targets)
