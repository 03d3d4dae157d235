"""`train`: exact steps, modes, seeds, interrupts."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F
from _probes import CLASSES, Probe, same, sgd, small_batches, small_net, small_set, weights
from _refusals import check_refused
from torch import nn

from kdlab import models
from kdlab.data import Batches
from kdlab.schemes import History, evaluate, train

TEST = small_set(examples=10, seed=5)


def test_train_takes_the_steps_of_the_bare_loop():
    ours, bare = small_net(), small_net()
    history = train(ours, small_batches(), sgd(ours), epochs=2)
    optimizer, losses = sgd(bare), []
    batches = small_batches()
    for _ in range(2):
        summed = 0.0
        for images, targets, _ in batches:
            loss = F.cross_entropy(bare(images), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            summed += loss.item() * len(targets)
        losses.append(summed / 40)
    assert same(weights(ours), weights(bare))
    assert history.losses == pytest.approx(losses, rel=1e-6)


def test_the_model_is_in_train_mode_in_every_epoch_in_spite_of_evaluation():
    model = Probe()
    train(model, small_batches(), sgd(model), epochs=3, test=TEST)
    assert [call["parts"] for call in model.learning()] == [{True}] * 9
    evaluations = [call for call in model.calls if not call["grad"]]
    assert [call["parts"] for call in evaluations] == [{False}] * 3
    assert not any(part.training for part in model.modules())


def test_train_mode_is_restored_even_if_someone_evaluates_in_between():
    model = Probe()

    def meddle(done, steps, note):
        if done == 3:
            model.eval()

    train(model, small_batches(), sgd(model), epochs=2, progress=meddle)
    assert [call["training"] for call in model.learning()] == [True] * 6


def test_test_errors_are_those_of_the_model_after_each_epoch():
    model = small_net()
    history = train(model, small_batches(), sgd(model), epochs=3, test=TEST)
    assert len(history.losses) == len(history.test_errors) == 3
    assert history.test_errors[-1] == evaluate(model, *TEST)
    assert history.test_accuracy == (10 - history.test_errors[-1]) / 10
    assert history.seconds > 0 and not history.interrupted


def test_evaluation_changes_nothing_in_training():
    with_test, without = Probe(), Probe()
    train(with_test, small_batches(), sgd(with_test), epochs=3, test=TEST)
    train(without, small_batches(), sgd(without), epochs=3)
    assert same(weights(with_test), weights(without))


def test_smoothing_is_used():
    plain, smooth = small_net(), small_net()
    train(plain, small_batches(), sgd(plain), epochs=1)
    history = train(smooth, small_batches(), sgd(smooth, lr=0.0), epochs=1, smoothing=1.0)
    images, _ = small_set()
    expected = -F.log_softmax(smooth(images.float() / 255), dim=1).mean().item()
    assert history.losses[0] == pytest.approx(expected, rel=1e-5)


def test_max_norm_holds_after_every_step():
    model = small_net()
    norms = []

    def note_norms(done, steps, note):
        layers = [m for m in model.modules() if isinstance(m, nn.Linear)]
        norms.append(max(layer.weight.norm(dim=1).max().item() for layer in layers))

    train(model, small_batches(), sgd(model), epochs=2, max_norm=0.3, progress=note_norms)
    assert len(norms) == 6 and max(norms) <= 0.3 * (1 + 1e-6)


def test_progress_is_called_after_every_step():
    calls = []
    model = small_net()
    history = train(
        model,
        small_batches(),
        sgd(model),
        epochs=2,
        test=TEST,
        progress=lambda *call: calls.append(call),
    )
    # An epoch's last step is told after its evaluation.
    first, last = (f"{errors} test errors" for errors in history.test_errors)
    notes = ["", "", first, first, first, last]
    assert calls == [(i, 6, note) for i, note in enumerate(notes, start=1)]


def run(seed):
    model = Probe()
    history = train(model, small_batches(), sgd(model), epochs=2, seed=seed)
    return weights(model), history.losses


def test_a_seed_fixes_every_bit():
    (first, losses), (again, same_losses), (other, _) = run(3), run(3), run(4)
    assert same(first, again) and losses == same_losses
    assert not same(first, other)


def test_the_global_generator_neither_matters_nor_changes():
    expected = run(3)[0]
    torch.rand(17)
    before = torch.get_rng_state()
    assert same(run(3)[0], expected)
    assert torch.equal(torch.get_rng_state(), before)


class InterruptedBatches(Batches):
    """Batches that press the stop button before the fifth one."""

    drawn = 0

    def __iter__(self):
        for batch in super().__iter__():
            self.drawn += 1
            if self.drawn == 5:
                raise KeyboardInterrupt
            yield batch


def test_an_interrupt_between_batches_returns_what_there_is():
    model = Probe()
    before = torch.get_rng_state()
    batches = InterruptedBatches(*small_set(), batch_size=16)
    history = train(model, batches, sgd(model), epochs=9, test=TEST)
    assert history.interrupted
    assert len(history.losses) == len(history.test_errors) == 1
    assert not any(part.training for part in model.modules())
    assert model(TEST[0].float() / 255).shape == (10, CLASSES)
    assert torch.equal(torch.get_rng_state(), before)


def test_an_interrupt_in_progress_keeps_the_steps_done():
    def stop(done, steps, note):
        if done == 3:
            raise KeyboardInterrupt

    stopped, whole = small_net(), small_net()
    history = train(stopped, small_batches(), sgd(stopped), epochs=9, progress=stop)
    epoch = train(whole, small_batches(), sgd(whole), epochs=1)
    assert history.interrupted and history.losses == epoch.losses
    assert same(weights(stopped), weights(whole))


def test_an_interrupt_while_evaluating_leaves_equally_long_lists():
    class Stopping(Probe):
        def forward(self, images):
            if len(self.calls) > 3 and not torch.is_grad_enabled():
                raise KeyboardInterrupt
            return super().forward(images)

    model = Stopping()
    history = train(model, small_batches(), sgd(model), epochs=9, test=TEST)
    assert history.interrupted
    assert len(history.losses) == len(history.test_errors) == 1


def test_another_error_is_not_swallowed():
    def fail(done, steps, note):
        raise RuntimeError("fail")

    model = Probe()
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="^fail$"):
        train(model, small_batches(), sgd(model), epochs=1, progress=fail)
    assert torch.equal(torch.get_rng_state(), before)
    assert not model.training


def test_a_history_cannot_be_changed():
    history = History((1.0,))
    with pytest.raises(dataclasses.FrozenInstanceError):
        history.losses = ()
    with pytest.raises(ValueError, match=r"^test_accuracy needs a test set and one finished epoch"):
        _ = history.test_accuracy


BAD = [
    ({"epochs": 0}, "epochs must be a whole number >= 1, got 0"),
    ({"epochs": 1.5}, "epochs must be a whole number >= 1, got 1.5"),
    ({"seed": None}, "seed must be a whole number >= 0, got None"),
    ({"smoothing": 2}, "smoothing must be in [0, 1], got 2"),
    ({"max_norm": 0}, "max_norm must be > 0, got 0"),
    ({"test": TEST[0]}, "test must be a pair of images and targets, got Tensor"),
    ({"test": ()}, "test must be a pair of images and targets, got 0 values"),
    ({"test": (*TEST, 3)}, "test must be a pair of images and targets, got 3 values"),
    (
        {"test": (TEST[0], TEST[1][:3])},
        "lengths must be equal, got test_images 10 and test_targets 3",
    ),
]


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(("argument", "message"), BAD)
def test_bad_input_is_told_before_any_step(argument, message):
    model = small_net()
    before = weights(model)
    check_refused(
        lambda: train(model, small_batches(), sgd(model), **{"epochs": 1, **argument}), message
    )
    assert same(weights(model), before)


def test_an_optimizer_of_another_model_is_refused():
    message = r"^optimizer must hold parameters of the trained model, got none of them$"
    with pytest.raises(ValueError, match=message):
        train(small_net(), small_batches(), sgd(small_net()), epochs=1)


LOADER = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*TEST))


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"optimizer": None}, "optimizer must be torch's Optimizer, got NoneType"),
        ({"batches": LOADER}, "batches must be kdlab's Batches, got DataLoader"),
        ({"model": None}, "model must be torch's Module, got NoneType"),
    ],
)
def test_what_is_of_another_kind_is_named(argument, message):
    model = small_net()
    usual = {"model": model, "batches": small_batches(), "optimizer": sgd(model), "epochs": 1}
    check_refused(lambda: train(**usual | argument), message)


def test_a_frozen_model_is_refused():
    model = small_net().requires_grad_(False)
    message = "optimizer must hold a parameter that requires grad, got frozen ones only"
    check_refused(lambda: train(model, small_batches(), sgd(model), epochs=1), message)


def test_an_optimizer_of_a_part_trains_that_part():
    model = small_net()
    first, last = model.blocks["hidden1"], model.blocks["logits"]
    before = weights(first), weights(last)
    train(model, small_batches(), sgd(last), epochs=1)
    assert same(weights(first), before[0]) and not same(weights(last), before[1])


def test_a_convolutional_network_learns():
    images, _ = small_set()
    dark = torch.arange(40) < 20
    images[dark] //= 4
    model = models.conv_net((8,), classes=2)
    batches = Batches(images, dark.long(), batch_size=16)
    history = train(model, batches, sgd(model), epochs=20, test=(images, dark.long()))
    assert history.losses[-1] < 0.2 * history.losses[0]
    assert history.test_errors[-1] == 0
