"""`distill_snapshots`: cycles, who teaches, the rate, checkpoints, refusals."""

import math

import pytest
import torch
from _probes import Probe, same, sgd, small_batches, small_net, small_set, weights
from _refusals import check_refused
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.testing import assert_close

from kdlab.losses import distillation_loss
from kdlab.schemes import Checkpoint, distill_snapshots, train

TEST = small_set(examples=10, seed=5)
HINTON = {"temperature": 4.0, "lambda_": 0.7}


def learn(model=None, *, shift=0, **rest):
    model = model or small_net()
    arguments = {"epochs": 6, "cycles": 3, "test": TEST} | HINTON | rest
    return model, distill_snapshots(model, small_batches(shift=shift), sgd(model), **arguments)


def plainly(shift=0, epochs=6, cycles=3):
    """The same with a rate that is written out and a copy that is asked for every batch."""
    model, snapshot, batches = small_net(), None, small_batches(shift=shift)
    optimizer, length = sgd(model), epochs // cycles
    steps = length * len(batches)
    for epoch in range(epochs):
        if epoch and epoch % length == 0:
            snapshot = small_net()
            snapshot.load_state_dict(model.state_dict())
        for number, (images, targets, _) in enumerate(batches):
            within = (epoch % length) * len(batches) + number
            optimizer.param_groups[0]["lr"] = 0.05 * (1 + math.cos(math.pi * within / steps))
            logits = model(images)
            if snapshot is None:
                loss = torch.nn.functional.cross_entropy(logits, targets)
            else:
                loss = distillation_loss(logits, snapshot(images), targets, **HINTON)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


@pytest.mark.parametrize("shift", [0, 1])
def test_it_takes_the_steps_of_the_plainest_loop(shift):
    model, history = learn(shift=shift)
    assert_close(weights(model), weights(plainly(shift)))
    assert len(history.losses) == len(history.test_errors) == 6


def test_one_cycle_is_training_with_a_cosine_schedule():
    model, _ = learn(cycles=1)
    alone = small_net()
    optimizer, batches = sgd(alone), small_batches()
    scheduler = CosineAnnealingLR(optimizer, 6 * len(batches))
    train(alone, batches, optimizer, epochs=6, scheduler=scheduler)
    assert_close(weights(model), weights(alone))


def test_the_first_cycle_has_no_teacher_and_lambda_0_none_at_all():
    taught, _ = learn(epochs=2, cycles=1)
    first, _ = learn(epochs=2, cycles=1, lambda_=0.0)
    assert same(weights(taught), weights(first))
    assert not same(weights(learn()[0]), weights(learn(lambda_=0.0)[0]))


def test_the_snapshot_is_asked_in_eval_mode_and_the_model_learns_in_train_mode():
    model, modes = Probe(), []
    # A copy keeps the hook.
    model.register_forward_pre_hook(
        lambda probe, _: modes.append(
            (torch.is_grad_enabled(), *{part.training for part in probe.modules()})
        )
    )
    learn(model, shift=1)
    # Six epochs of three batches; the snapshot hears those of the last four, and after each
    # epoch the model is evaluated.
    assert modes.count((True, True)) == 18
    assert modes.count((False, False)) == 12 + 6 and len(modes) == 36
    assert not any(part.training for part in model.modules())


class Stopped(Exception):
    """What ends a run in the middle."""


@pytest.mark.parametrize("shift", [0, 1])
@pytest.mark.parametrize("step", [5, 8, 11, 14])
def test_a_stopped_run_goes_on_bit_for_bit(tmp_path, step, shift):
    """The snapshot is a part of the checkpoint: without it a cycle would go on with another."""

    def stop(done, steps, note):
        if done == step:
            raise Stopped

    whole, expected = learn(Probe(), shift=shift)
    checkpoint = Checkpoint(tmp_path / "run.safetensors")
    with pytest.raises(Stopped):
        learn(Probe(), shift=shift, checkpoint=checkpoint, progress=stop)
    model, history = learn(Probe(), shift=shift, checkpoint=checkpoint)
    assert same(weights(model), weights(whole))
    assert history.losses == expected.losses and history.test_errors == expected.test_errors


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"cycles": 4}, "cycles must be a divisor of epochs, 6, got 4"),
        ({"cycles": 0}, "cycles must be a whole number >= 1, got 0"),
        ({"epochs": 1.5}, "epochs must be a whole number >= 1, got 1.5"),
        ({"lambda_": 2}, "lambda_ must be in [0, 1], got 2"),
        ({"temperature": -1}, "temperature must be > 0, got -1"),
        ({"model": "net"}, "model must be torch's Module, got str"),
    ],
)
def test_bad_input_is_refused(changed, message):
    model = changed.pop("model", small_net())
    optimizer = sgd(small_net() if isinstance(model, str) else model)
    rest = {"epochs": 6, "cycles": 3} | HINTON | changed
    check_refused(lambda: distill_snapshots(model, small_batches(), optimizer, **rest), message)
