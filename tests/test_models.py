"""The networks: shapes, names, seeds, and Hinton's constraint on weights."""

import threading

import pytest
import torch
from _refusals import check_refused
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from kdlab import models
from kdlab.models.parts import AveragePool, seeded


def images(batch=3, channels=1, side=28):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(batch, channels, side, side, generator=generator)


def test_mlp_names_its_maps_and_ends_in_the_logits():
    model = models.mlp((784, 30, 20, 10)).eval()
    maps = model.features(images())
    assert list(maps) == ["inputs", "hidden1", "hidden2", "logits"]
    assert [m.shape[1] for m in maps.values()] == [784, 30, 20, 10]
    assert torch.equal(maps["logits"], model(images()))


def test_mlp_is_relu_of_affine_maps():
    model = models.mlp((4, 3, 2)).eval()
    first, last = (m for m in model.modules() if isinstance(m, nn.Linear))
    x = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    hidden = (x @ first.weight.T + first.bias).clamp(min=0)
    assert_close(model(x), hidden @ last.weight.T + last.bias)


def test_conv_net_names_its_maps_and_ends_in_the_logits():
    model = models.conv_net((8, 16), channels=3, classes=7).eval()
    maps = model.features(images(channels=3))
    assert {name: tuple(m.shape[1:]) for name, m in maps.items()} == {
        "block1": (8, 14, 14),
        "block2": (16, 7, 7),
        "pooled": (16,),
        "logits": (7,),
    }
    assert torch.equal(maps["logits"], model(images(channels=3)))
    assert_close(maps["pooled"], maps["block2"].mean(dim=(2, 3)))


def test_a_squeezed_conv_net_has_the_same_maps_and_fewer_parameters():
    model = models.conv_net((8, 16), channels=3, squeeze=4).eval()
    full = models.conv_net((8, 16), channels=3).eval()
    maps, wide = model.features(images(channels=3)), full.features(images(channels=3))
    assert {k: v.shape for k, v in maps.items()} == {k: v.shape for k, v in wide.items()}
    inside = (3 * 2 + 9 * 2 * 2 + 2 * 8) + (8 * 4 + 9 * 4 * 4 + 4 * 16)
    assert models.count_parameters(model) == inside + 2 * (8 + 16) + 16 * 10 + 10
    # Nothing between the three convolutions: what they do together is linear.
    first, x = model.blocks["block1"][0], images(channels=3)
    assert_close(first(3 * x), 3 * first(x))
    narrow = models.conv_net((2,), squeeze=4).blocks["block1"][0]
    assert narrow[1].weight.shape == (1, 1, 3, 3)


def test_embedding_net_names_its_maps_and_pads_to_even_sides():
    model = models.embedding_net((6, 6, 6)).eval()
    maps = model.features(images())
    assert {name: tuple(m.shape[1:]) for name, m in maps.items()} == {
        "block1": (6, 16, 16),
        "block2": (6, 8, 8),
        "block3": (6, 4, 4),
        "embedding": (96,),
        "logits": (10,),
    }
    assert torch.equal(maps["logits"], model(images()))
    # The field's, on digits: longer than the image that it embeds.
    assert models.embedding_net().blocks["logits"].in_features == 2048
    for side in (1, 2, 5, 8, 27, 31, 32, 33):
        net = models.embedding_net((4, 4, 4), side=side, channels=3, classes=7)
        assert net(images(channels=3, side=side)).shape == (3, 7)


def test_embedding_net_is_convolution_instance_norm_relu_and_average():
    model = models.embedding_net((5,), side=8).double()
    x = images(side=8).double()
    conv = model.blocks["block1"][0]
    maps = torch.nn.functional.conv2d(x, conv.weight, conv.bias, padding=1)
    mean = maps.mean(dim=(2, 3), keepdim=True)
    deviation = (maps.var(dim=(2, 3), keepdim=True, correction=0) + 1e-5).sqrt()
    hidden = ((maps - mean) / deviation).clamp(min=0)
    expected = hidden.view(3, 5, 4, 2, 4, 2).mean(dim=(3, 5))
    assert_close(model.features(x)["block1"], expected)
    # An image's embedding doesn't depend on the others.
    assert_close(model.train()(x)[:1], model(x[:1]))


@pytest.mark.parametrize("shape", [(2, 3, 8, 8), (1, 1, 2, 6), (2, 1, 5, 4), (1, 2, 4, 7)])
def test_average_pool_is_torchs(shape):
    x = torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ours, torchs = x.clone().requires_grad_(), x.clone().requires_grad_()
    pooled, expected = AveragePool()(ours), nn.AvgPool2d(2)(torchs)
    assert_close(pooled, expected)
    weights = torch.rand(pooled.shape, generator=torch.Generator().manual_seed(1)).double()
    (pooled * weights).sum().backward()
    (expected * weights).sum().backward()
    assert_close(ours.grad, torchs.grad)


def test_count_parameters_by_hand():
    assert models.count_parameters(models.mlp((784, 800, 800, 10))) == (
        784 * 800 + 800 + 800 * 800 + 800 + 800 * 10 + 10
    )
    model = models.conv_net((8, 16))
    assert models.count_parameters(model) == 9 * 8 + 16 + 9 * 8 * 16 + 32 + 16 * 10 + 10
    model.requires_grad_(False)
    assert models.count_parameters(model) == 0


@pytest.mark.parametrize(
    "build",
    [lambda s: models.mlp((9, 8, 3), seed=s), lambda s: models.embedding_net((4,), seed=s), None],
)
def test_a_seed_fixes_the_weights_and_leaves_the_global_generator(build):
    build = build or (lambda s: models.conv_net((4,), seed=s))
    before = torch.get_rng_state()
    first, again, other = build(1), build(1), build(2)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(map(torch.equal, first.parameters(), again.parameters()))
    assert not all(map(torch.equal, first.parameters(), other.parameters()))


def test_dropout_drops_the_share_it_is_told_in_training_only():
    model = models.mlp((1000, 1000, 10), dropout=0.5, input_dropout=0.2)
    x = torch.ones(100, 1000)
    with torch.random.fork_rng(devices=()):
        torch.default_generator.manual_seed(0)
        maps = model.train().features(x)
    alive = model.eval().features(x)["hidden1"] > 0
    assert (maps["inputs"] == 0).float().mean().item() == pytest.approx(0.2, abs=0.01)
    # Half of the units that would be positive; half of the rest are negative anyway.
    assert alive.float().mean().item() == pytest.approx(0.5, abs=0.1)
    assert (maps["hidden1"] > 0).float().mean().item() == pytest.approx(0.25, abs=0.05)
    assert torch.equal(model.features(x)["inputs"], x)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.999999])
def test_fast_dropout_is_dropout(p):
    layer, x = models.Dropout(p), torch.rand(701, 333) + 1
    with torch.random.fork_rng(devices=()):
        torch.default_generator.manual_seed(0)
        first = layer(x)
        second = layer(x)
        torch.default_generator.manual_seed(0)
        assert torch.equal(layer(x), first)
    assert p == 0.0 or not torch.equal(first, second)
    assert torch.equal(layer.eval()(x), x)
    kept, count = first != 0, x.numel()
    # Six standard deviations of the count, in every row's and every column's place alike.
    assert abs(kept.sum().item() - count * (1 - p)) <= 6 * (count * p * (1 - p)) ** 0.5 + 6
    for start in range(4):
        part = kept.flatten()[start::4]
        assert abs(part.sum().item() - len(part) * (1 - p)) <= 3 * (len(part) * p) ** 0.5 + 6
    if p < 0.9:
        assert_close(first[kept], x[kept] / (1 - p), rtol=1e-4, atol=0)


def test_fast_dropout_lets_gradients_through_what_it_keeps():
    layer, x = models.Dropout(0.5), torch.ones(64, 5, dtype=torch.float64, requires_grad=True)
    out = layer(x)
    out.sum().backward()
    assert torch.equal(x.grad, out.detach()) and set(out.flatten().tolist()) == {0.0, 2.0}
    assert layer(torch.ones(0, 3)).shape == (0, 3)


def test_max_norm_scales_long_units_and_leaves_the_others():
    model = models.mlp((3, 2, 2))
    layer = model.blocks["hidden1"][0]
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[3.0, 4.0, 0.0], [0.3, 0.4, 0.0]]))
    bias = layer.bias.clone()
    models.constrain_max_norm(model, limit=2.0)
    expected = torch.tensor([[1.2, 1.6, 0.0], [0.3, 0.4, 0.0]])
    assert_close(layer.weight.detach(), expected)
    assert torch.equal(layer.weight[1], expected[1])
    assert torch.equal(layer.bias, bias)
    assert layer.weight.requires_grad


@given(seed=st.integers(0, 1000), limit=st.floats(1e-3, 100), scale=st.floats(1e-3, 1e3))
def test_max_norm_holds_keeps_directions_and_does_nothing_twice(seed, limit, scale):
    model = models.mlp((6, 5, 3), seed=seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(scale)
    before = [p.detach().clone() for p in model.parameters()]
    models.constrain_max_norm(model, limit=limit)
    after = [p.detach().clone() for p in model.parameters()]
    for old, new in zip(before, after, strict=True):
        if old.dim() == 1:
            assert torch.equal(old, new)
        else:
            assert bool((new.norm(dim=1) <= limit * (1 + 1e-5)).all())
            shrunk = (limit / old.norm(dim=1)).clamp(max=1)[:, None]
            assert_close(new, old * shrunk, rtol=1e-3, atol=1e-6)
    models.constrain_max_norm(model, limit=limit)
    assert_close([p.detach() for p in model.parameters()], after, rtol=1e-5, atol=1e-7)


def test_max_norm_leaves_convolutions():
    model = models.conv_net((4,))
    before = model.blocks["block1"][0].weight.detach().clone()
    models.constrain_max_norm(model, limit=1e-3)
    assert torch.equal(model.blocks["block1"][0].weight, before)


BAD = [
    (lambda: models.mlp((10,)), "widths must have length >= 2, got (10,)"),
    (lambda: models.mlp(784), "widths must be a tuple, got 784"),
    (lambda: models.mlp((4, 0, 2)), "widths[1] must be a whole number >= 1, got 0"),
    (lambda: models.mlp((4, 2.0)), "widths[1] must be a whole number >= 1, got 2.0"),
    (lambda: models.mlp((4, 2), dropout=1.0), "dropout must be in [0, 1), got 1.0"),
    (lambda: models.mlp((4, 2), input_dropout=-1), "input_dropout must be in [0, 1), got -1"),
    (lambda: models.mlp((4, 2), seed=-1), "seed must be a whole number >= 0, got -1"),
    (lambda: models.conv_net(seed="a"), "seed must be a whole number >= 0, got 'a'"),
    (lambda: models.conv_net(()), "widths must have length >= 1, got ()"),
    (lambda: models.conv_net(channels=0), "channels must be a whole number >= 1, got 0"),
    (lambda: models.conv_net(squeeze=0), "squeeze must be a whole number >= 1, got 0"),
    (lambda: models.conv_net(classes=0), "classes must be a whole number >= 1, got 0"),
    (
        lambda: models.constrain_max_norm(models.mlp((4, 2)), limit=0),
        "limit must be > 0, got 0",
    ),
]


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(("call", "message"), BAD)
def test_bad_input(call, message):
    check_refused(call, message)


def test_pooling_may_be_left_out_of_blocks():
    model = models.conv_net((4, 5, 6), pool_after=(2,))
    maps = model.features(torch.zeros(2, 1, 28, 28))
    shapes = [list(maps[f"block{number}"].shape) for number in (1, 2, 3)]
    assert shapes == [[2, 4, 28, 28], [2, 5, 14, 14], [2, 6, 14, 14]]
    assert maps["logits"].shape == (2, 10)


def test_pooling_after_all_is_the_default_and_changes_no_weight():
    every = models.conv_net((4, 5), pool_after=(1, 2), seed=3)
    never = models.conv_net((4, 5), pool_after=(), seed=3)
    images = torch.rand(2, 1, 28, 28)
    plain = models.conv_net((4, 5), seed=3)
    assert torch.equal(every(images), plain(images))
    assert all(
        torch.equal(a, b) for a, b in zip(never.parameters(), plain.parameters(), strict=True)
    )


@pytest.mark.usefixtures("unchecked_shapes")
def test_a_block_that_is_none_cannot_pool():
    check_refused(
        lambda: models.conv_net((4, 5), pool_after=(1, 3)),
        "pool_after[1] must be one of 1, 2, got 3",
    )


def test_threads_wait_for_each_other_s_seeds():
    drawn = []

    def other():
        with seeded(1):
            drawn.append(torch.rand(3))

    thread = threading.Thread(target=other)
    before = torch.get_rng_state()
    with seeded(0):
        first = torch.rand(3)
        thread.start()
        thread.join(0.3)
        assert drawn == []
        # One network may hold another: the same thread doesn't wait for itself.
        with seeded(1):
            own = torch.rand(3)
        second = torch.rand(3)
    thread.join()
    with seeded(0):
        assert torch.equal(torch.rand(3), first) and torch.equal(torch.rand(3), second)
    assert torch.equal(drawn[0], own) and torch.equal(torch.get_rng_state(), before)
