"""Small sets and networks that write down what a scheme does to them."""

import torch
from torch import Tensor, nn

from kdlab import models
from kdlab.data import Batches

CLASSES = 3


def small_set(examples: int = 40, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return uint8 images of 4 x 4 pixels, all different, and their classes."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(256, (examples, 1, 4, 4), generator=generator, dtype=torch.uint8)
    return images, torch.randint(CLASSES, (examples,), generator=generator)


def small_batches(*, shift: int = 0, seed: int = 0, batch_size: int = 16) -> Batches:
    """Return three batches an epoch, the last one smaller."""
    return Batches(*small_set(), batch_size=batch_size, seed=seed, shift=shift)


def small_net(seed: int = 1, dropout: float = 0.0) -> models.FeatureNet:
    """Return a network for the small set."""
    return models.mlp((16, 8, CLASSES), dropout=dropout, seed=seed)


def sgd(model: nn.Module, lr: float = 0.1) -> torch.optim.Optimizer:
    """Return an optimizer with momentum, whose state would show a step too many."""
    return torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)


def weights(model: nn.Module) -> list[Tensor]:
    """Return copies of all parameters and buffers."""
    return [value.detach().clone() for value in model.state_dict().values()]


def same(left: list[Tensor], right: list[Tensor]) -> bool:
    """Return whether two lists of tensors are equal bit by bit."""
    return all(torch.equal(a, b) for a, b in zip(left, right, strict=True))


class Probe(nn.Module):
    """A network with dropout and batch norm that notes the circumstances of every call.

    Attributes:
        calls: One dict a call: "training" (of itself), "parts" (the set of its parts'
            modes), "grad" (is autograd on), "images".
    """

    def __init__(self, seed: int = 1, dropout: float = 0.5) -> None:
        super().__init__()
        self.net = small_net(seed, dropout)
        self.norm = nn.BatchNorm1d(CLASSES)
        self.calls: list[dict] = []

    def forward(self, images: Tensor) -> Tensor:
        self.calls.append(
            {
                "training": self.training,
                "parts": {part.training for part in self.modules()},
                "grad": torch.is_grad_enabled(),
                "images": images.detach().clone(),
            }
        )
        return self.norm(self.net(images))

    def learning(self) -> list[dict]:
        """Return the calls made with autograd on."""
        return [call for call in self.calls if call["grad"]]
