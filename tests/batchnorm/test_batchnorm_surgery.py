"""undo, fold and recalibrate on our normalizers and on torch's."""

import copy

import pytest
import torch
from _refusals import check_refused
from _twins import SHAPES, check_equal, draw, twins
from torch import nn
from torch.nn.utils import fusion
from torch.optim.swa_utils import update_bn
from torch.testing import assert_close

from kdlab import batchnorm, models
from kdlab.batchnorm import BatchNorm

BOTH = pytest.mark.parametrize("whose", [0, 1], ids=["ours", "torch's"])


# --- undo


@BOTH
@pytest.mark.parametrize("shape", SHAPES)
def test_undone_it_changes_nothing(shape, whose):
    normalizer, batch = twins(shape)[whose], draw(shape)
    normalizer(draw(shape, seed=3))
    batchnorm.undo(normalizer, batch)
    mean, variance = batchnorm.batch_statistics(batch)
    assert_close(normalizer.weight.detach(), torch.sqrt(variance + normalizer.eps))
    assert_close(normalizer.bias.detach(), mean)
    other = draw(shape, seed=1)
    assert_close(normalizer.eval()(other), other, atol=1e-12, rtol=1e-12)
    assert_close(normalizer.train()(batch), batch, atol=1e-12, rtol=1e-12)
    assert not torch.allclose(normalizer(other), other, atol=0.1)


@BOTH
def test_undone_it_still_learns(whose):
    normalizer = twins((6, 3))[whose]
    batchnorm.undo(normalizer, draw((6, 3)))
    assert normalizer.training and normalizer.weight.requires_grad
    normalizer(draw((6, 3), seed=1)).square().sum().backward()
    assert normalizer.weight.grad.any() and normalizer.bias.grad.any()


@BOTH
def test_its_batch_is_counted_as_one(whose):
    normalizer = twins((6, 3), momentum=None)[whose]
    for seed in range(3):
        normalizer(draw((6, 3), seed=seed))
    batch, other = draw((6, 3)), draw((6, 3), seed=1)
    batchnorm.undo(normalizer, batch)
    normalizer(other)
    assert_close(normalizer.running_mean, (batch.mean(0) + other.mean(0)) / 2)


def test_undo_without_running_statistics():
    normalizer, batch = BatchNorm(3, track_running_stats=False).double(), draw((6, 3))
    batchnorm.undo(normalizer, batch)
    assert_close(normalizer.eval()(batch), batch)


def test_a_trained_network_goes_on_as_before():
    net, images = models.mlp((16, 8, 5), seed=1), draw((40, 16), dtype=torch.float32)
    before = net(images)
    weights = copy.deepcopy(net.state_dict())
    linear = net.blocks["hidden1"][0]
    normalizer = BatchNorm(8)
    batchnorm.undo(normalizer, linear(images))
    net.blocks["hidden1"].insert(1, normalizer)
    assert_close(net(images), before, atol=1e-4, rtol=1e-5)
    batchnorm.undo(normalizer, linear(images))
    assert_close(net.eval()(images[:3]), before[:3], atol=1e-4, rtol=1e-5)
    # Normalizing changes activations, not weights.
    assert torch.equal(net.blocks["hidden1"][0].weight, weights["blocks.hidden1.0.weight"])


@pytest.mark.usefixtures("unchecked_shapes")
def test_undo_refuses_what_does_not_fit():
    fits, batch = BatchNorm(3), draw((6, 3), dtype=torch.float32)
    before = copy.deepcopy(fits.state_dict())
    check_refused(
        lambda: batchnorm.undo(nn.LayerNorm(3), batch),
        "normalizer must be a batch normalization, ours or torch's, got LayerNorm",
    )
    plain = BatchNorm(3, affine=False)
    check_refused(
        lambda: batchnorm.undo(plain, batch),
        f"normalizer must have gamma and beta, got {plain!r}",
    )
    check_refused(
        lambda: batchnorm.undo(fits, batch[:, :2]),
        "batch must have 3 features, as normalizer, got [6, 2]",
    )
    check_refused(
        lambda: batchnorm.undo(fits, batch[:0]), "batch must not be empty, got shape [0, 3]"
    )
    check_refused(
        lambda: batchnorm.undo(fits, batch[:1]),
        "Expected more than 1 value per channel when training, got input size torch.Size([1, 3])",
    )
    check_equal(fits.state_dict(), before)


# --- fold

LAYERS = {
    "linear": lambda bias: nn.Linear(4, 3, bias=bias),
    "convolution": lambda bias: nn.Conv2d(4, 3, 3, padding=1, stride=2, bias=bias),
    "in groups": lambda bias: nn.Conv2d(6, 3, 3, groups=3, padding_mode="reflect", bias=bias),
}


def layer_and_normalizer(kind, bias, whose, **settings):
    """Return a layer, a normalizer that has seen batches, and inputs, all in float64."""
    with models.parts.seeded(0):
        layer = LAYERS[kind](bias).double()
    inputs = draw((8, layer.weight.shape[1] * getattr(layer, "groups", 1), 6, 5))
    inputs = inputs[..., 0, 0] if kind == "linear" else inputs
    outputs = layer(inputs)
    normalizer = twins(outputs.shape, **settings)[whose]
    normalizer(outputs)
    return layer, normalizer.eval(), inputs


@BOTH
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", LAYERS)
def test_folded_is_one_after_the_other(kind, bias, affine, whose):
    layer, normalizer, inputs = layer_and_normalizer(kind, bias, whose, affine=affine, eps=0.1)
    before = copy.deepcopy([layer.state_dict(), normalizer.state_dict()])
    merged = batchnorm.fold(layer, normalizer)
    assert type(merged) is type(layer)
    assert_close(merged(inputs), normalizer(layer(inputs)))
    for held, kept in zip((layer, normalizer), before, strict=True):
        check_equal(held.state_dict(), kept, rtol=0, atol=0)
    merged.weight.data.zero_()
    check_equal(layer.state_dict(), before[0], rtol=0, atol=0)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", LAYERS)
def test_folded_is_torchs_fusion(kind, bias):
    layer, normalizer, _ = layer_and_normalizer(kind, bias, 1)
    fuse = fusion.fuse_linear_bn_eval if kind == "linear" else fusion.fuse_conv_bn_eval
    theirs = fuse(layer.eval(), normalizer)
    check_equal(batchnorm.fold(layer, normalizer).state_dict(), theirs.state_dict())


def test_folded_keeps_number_format_and_whether_it_learns():
    layer, normalizer, inputs = layer_and_normalizer("convolution", False, 0)
    exact = normalizer(layer(inputs))
    merged = batchnorm.fold(layer.bfloat16().requires_grad_(False), normalizer.bfloat16())
    assert merged.weight.dtype == merged.bias.dtype == torch.bfloat16
    assert not merged.weight.requires_grad and not merged.bias.requires_grad
    assert_close(merged(inputs.bfloat16()).double(), exact, atol=0.05, rtol=0.05)
    assert batchnorm.fold(nn.Linear(2, 3), BatchNorm(3)).bias.requires_grad


@pytest.mark.usefixtures("unchecked_shapes")
def test_fold_refuses_what_it_cannot_merge():
    fold, linear = batchnorm.fold, nn.Linear(4, 3)
    check_refused(
        lambda: fold(nn.ConvTranspose2d(4, 3, 3), BatchNorm(3)),
        "layer must be an nn.Linear or nn.Conv2d, got ConvTranspose2d",
    )
    check_refused(
        lambda: fold(linear, nn.ReLU()),
        "normalizer must be a batch normalization, ours or torch's, got ReLU",
    )
    alone = BatchNorm(3, track_running_stats=False)
    check_refused(
        lambda: fold(linear, alone), f"normalizer must have running statistics, got {alone!r}"
    )
    check_refused(
        lambda: fold(linear, BatchNorm(4)),
        "normalizer must have 3 features, as layer has outputs, got 4",
    )


# --- recalibrate


def network(kind, dropout=0.0):
    """Return two layers with a normalizer behind each."""
    with models.parts.seeded(0):
        first, second = nn.Linear(4, 3), nn.Linear(3, 3)
    drop = nn.Dropout(dropout)
    return nn.Sequential(first, kind(3), nn.ReLU(), drop, second, kind(3, momentum=0.3))


def batches(number=5):
    """Return batches of 16."""
    return [draw((16, 4), seed=seed, dtype=torch.float32) for seed in range(number)]


@pytest.mark.parametrize("kind", [BatchNorm, nn.BatchNorm1d])
def test_recalibrated_is_torchs_update(kind):
    ours, theirs = network(kind), network(nn.BatchNorm1d)
    # What was there before must not count, not even where it is broken.
    ours[1].running_mean.fill_(torch.nan)
    ours(batches()[0])
    batchnorm.recalibrate(ours, iter(batches()))
    update_bn(batches(), theirs)
    check_equal(ours.state_dict(), theirs.state_dict())


def test_recalibrated_is_the_mean_over_batches():
    model = nn.Sequential(BatchNorm(4))
    batchnorm.recalibrate(model, batches())
    means, variances = zip(*((each.mean(0), each.var(0)) for each in batches()), strict=True)
    assert_close(model[0].running_mean, torch.stack(means).mean(0))
    assert_close(model[0].running_var, torch.stack(variances).mean(0))


def test_maps_are_recalibrated_too():
    ours, theirs = (models.conv_net((3, 4), seed=1) for _ in range(2))
    images = [draw((6, 1, 8, 8), seed=seed, dtype=torch.float32) for seed in range(3)]
    batchnorm.recalibrate(ours, images)
    update_bn(images, theirs)
    check_equal(ours.state_dict(), theirs.state_dict())


def test_dropout_rests_and_chance_is_left_alone():
    dropping, bare = network(BatchNorm, dropout=0.9), network(BatchNorm)
    chance = torch.get_rng_state()
    for model in (dropping, bare):
        batchnorm.recalibrate(model, batches())
    check_equal(dropping.state_dict(), bare.state_dict(), rtol=0, atol=0)
    assert torch.equal(torch.get_rng_state(), chance)


def settings(model):
    """Return every part's mode and momentum."""
    return [(part.training, getattr(part, "momentum", "none")) for part in model.modules()]


@pytest.mark.parametrize("fails", [False, True])
def test_modes_momenta_and_weights_stay(fails):
    model = network(BatchNorm, dropout=0.5)
    model[1].eval()
    model[4].weight.requires_grad_(False)
    before, weights = settings(model), [w.detach().clone() for w in model.parameters()]
    if fails:
        with pytest.raises(ValueError, match="Expected more than 1 value"):
            batchnorm.recalibrate(model, [*batches(), batches()[0][:1]])
    else:
        batchnorm.recalibrate(model, batches())
    assert settings(model) == before
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), weights, strict=True))
    assert all(not held.requires_grad for held in model.buffers())


def test_nothing_is_kept_for_a_backward_pass():
    kept, model = [], network(BatchNorm)
    with torch.autograd.graph.saved_tensors_hooks(kept.append, lambda saved: saved):
        batchnorm.recalibrate(model, batches())
        batchnorm.fold(model[0], model[1])
        batchnorm.undo(model[1], batches()[0][:, :3])
        assert not kept
        model(batches()[0])
    assert kept


def test_who_tracks_nothing_is_left_alone():
    model = nn.Sequential(BatchNorm(4), BatchNorm(4, track_running_stats=False))
    batchnorm.recalibrate(model, batches())
    assert model[1].running_mean is None and model[0].num_batches_tracked == 5


def test_recalibrate_refuses_what_has_no_statistics_and_no_batch():
    without = nn.Sequential(nn.Linear(4, 3), BatchNorm(3, track_running_stats=False))
    check_refused(
        lambda: batchnorm.recalibrate(without, batches()),
        f"model must hold a normalizer with running statistics, got {without!r}",
    )
    model = network(BatchNorm)
    model(batches()[0])
    before = copy.deepcopy(model.state_dict())
    check_refused(
        lambda: batchnorm.recalibrate(model, iter([])),
        "batches must hold at least one batch, got none",
    )
    check_equal(model.state_dict(), before, rtol=0, atol=0)
