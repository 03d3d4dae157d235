"""What the course says of batch normalization against the slides, computed here."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from kdlab import batchnorm, data, models
from kdlab.batchnorm import BatchNorm


@pytest.fixture(scope="module")
def digits():
    """Return flat images of the bundled digits, and their classes."""
    found = data.load("digits")
    return data.to_float(found.train_images).flatten(1), found.train_targets


def largest(left, right):
    """Return the largest distance."""
    return (left - right).abs().max().item()


@pytest.mark.parametrize("seed", range(3))
def test_what_undoes_a_full_batch_does_not_undo_eight(digits, seed):
    generator = torch.Generator().manual_seed(seed)
    hidden = digits[0] @ torch.randn(784, 100, generator=generator)
    normalizer = BatchNorm(100)
    batchnorm.undo(normalizer, hidden)
    kept = {name: held.clone() for name, held in normalizer.state_dict().items()}
    few = hidden[torch.randperm(len(hidden), generator=generator)[:8]]
    assert largest(normalizer(hidden), hidden) < 3e-5
    assert 3 < largest(normalizer(few), few) < 30
    normalizer.load_state_dict(kept)
    assert largest(normalizer.eval()(few), few) < 3e-5
    # With gamma and beta alone, evaluation is far off.
    normalizer.reset_running_stats()
    assert largest(normalizer(hidden), hidden) > 100


def outputs_and_gradient(weight, inputs, eps):
    """Normalize a linear layer; return its outputs and a loss's gradient on the weight."""
    weight = weight.clone().requires_grad_()
    outputs = BatchNorm(len(weight), eps=eps).double()(inputs @ weight.T)
    outputs.sin().sum().backward()
    return outputs.detach(), weight.grad


def test_the_weights_length_is_of_no_account_and_the_gradient_stands_upright(digits):
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(20, 784, generator=generator, dtype=torch.double)
    inputs = digits[0][:64].double()
    once, slope = outputs_and_gradient(weight, inputs, eps=0.0)
    tenfold, flatter = outputs_and_gradient(10 * weight, inputs, eps=0.0)
    assert_close(tenfold, once)
    assert_close(10 * flatter, slope)
    assert slope.abs().max() > 0.01
    assert_close((weight * slope).sum(1), torch.zeros(20).double(), atol=1e-12, rtol=0)
    # eps is what makes it true only nearly.
    nearly, _ = outputs_and_gradient(weight, inputs, eps=1e-5)
    assert 0 < largest(nearly, once) < 1e-4


def sigmoid_net(normalized, seed):
    """Build the paper's network for digits: three layers of 100 sigmoid units."""
    parts, widths = [], (784, 100, 100, 100, 10)
    with models.parts.seeded(seed):
        for fan_in, fan_out in zip(widths, widths[1:], strict=False):
            linear = nn.Linear(fan_in, fan_out)
            nn.init.normal_(linear.weight, std=0.1)
            nn.init.zeros_(linear.bias)
            hidden = [BatchNorm(fan_out)] * normalized + [nn.Sigmoid()]
            parts += [linear, *hidden]
    return nn.Sequential(*parts[: -1 - normalized])


def loss_rise(model, images, targets, gradients):
    """Return how far the loss comes to lie above its start within two steps of .5 down hill."""
    names, values = zip(*model.named_parameters(), strict=True)
    losses = []
    for length in (0.0, 0.25, 0.5, 0.75, 1.0):
        moved = [v.detach() - length * g for v, g in zip(values, gradients, strict=True)]
        # Copies: in training a normalizer writes into its buffers.
        held = {name: held.clone() for name, held in model.named_buffers()}
        held |= dict(zip(names, moved, strict=True))
        losses.append(F.cross_entropy(torch.func.functional_call(model, held, images), targets))
    return (max(losses) - losses[0]).item()


def learn(normalized, digits, seed, steps=100, watched=20):
    """Train as in the slides; return the accuracy and the mean rise at the first steps."""
    images, targets = digits
    model, rises = sigmoid_net(normalized, seed), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    batches = data.Batches(images, targets, batch_size=60, seed=seed)
    endless = (batch for _ in range(steps) for batch in batches)
    for step, batch in zip(range(steps), endless, strict=False):
        optimizer.zero_grad()
        F.cross_entropy(model(batch.images), batch.targets).backward()
        gradients = [value.grad for value in model.parameters()]
        if step < watched:
            rises.append(loss_rise(model, batch.images, batch.targets, gradients))
        optimizer.step()
    accuracy = (model.eval()(images).argmax(1) == targets).float().mean().item()
    return accuracy, sum(rises) / len(rises)


@pytest.mark.parametrize("seed", range(3))
def test_normalized_it_learns_where_it_did_not_and_long_steps_do_less_harm(digits, seed):
    (without, rough), (normalized, smooth) = (learn(way, digits, seed) for way in (False, True))
    assert without < 0.4
    assert normalized > 0.95
    assert rough > 2 * smooth
