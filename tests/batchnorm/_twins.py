"""Our layer and torch's beside each other."""

import torch
from torch import Tensor, nn
from torch.testing import assert_close

from kdlab.batchnorm import BatchNorm

SHAPES = [(6, 3), (4, 3, 5, 2)]


def draw(shape, seed=0, dtype=torch.double) -> Tensor:
    """Return values whose features differ in mean and scale."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(shape, generator=generator, dtype=torch.double)
    each = torch.arange(shape[1]).reshape(-1, *[1] * (len(shape) - 2))
    return ((1 + each) * values + 10 * each - 5).to(dtype)


def twins(shape, dtype=torch.double, **settings) -> tuple[BatchNorm, nn.Module]:
    """Return both in training, with one gamma and beta that say something."""
    theirs = {2: nn.BatchNorm1d, 4: nn.BatchNorm2d}[len(shape)](shape[1], **settings).to(dtype)
    if theirs.affine:
        with torch.no_grad():
            theirs.weight.copy_(torch.linspace(-1, 2, shape[1]))
            theirs.bias.copy_(torch.linspace(3, -4, shape[1]))
    ours = BatchNorm(shape[1], **settings).to(dtype)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def pull(layer: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    """Run a layer there and back; return outputs, gradients and state after it."""
    inputs = inputs.detach().requires_grad_()
    layer.zero_grad()
    outputs = layer(inputs)
    # Not the sum: the gradient of a sum over a normalized batch is 0.
    outputs.backward(draw(inputs.shape, seed=100, dtype=inputs.dtype))
    found = {"outputs": outputs.detach(), "inputs": inputs.grad}
    found |= {f"d {name}": held.grad for name, held in layer.named_parameters()}
    return found | {name: held.clone() for name, held in layer.state_dict().items()}


def check_equal(ours: dict[str, Tensor], theirs: dict[str, Tensor], **near) -> None:
    """Fail, by name, unless all is of one number format and near."""
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        assert_close(ours[name], value, msg=lambda text, name=name: f"{name}: {text}", **near)
