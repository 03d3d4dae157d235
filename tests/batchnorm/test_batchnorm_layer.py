"""The layer beside torch's own, in every behaviour."""

import copy
import io

import pytest
import torch
from _refusals import check_refused
from _twins import SHAPES, check_equal, draw, pull, twins
from torch import nn
from torch.autograd import gradcheck, gradgradcheck
from torch.testing import assert_close

from kdlab.batchnorm import BatchNorm

SETTINGS = [
    {},
    {"momentum": None},
    {"momentum": 0.0},
    {"momentum": 0.7},
    {"momentum": 1},
    {"eps": 0.5},
    {"affine": False},
    {"track_running_stats": False},
    {"affine": False, "track_running_stats": False, "momentum": None},
]
EMPTY = [(0, 3), (0, 3, 4, 4), (2, 3, 0, 4)]
ONE = [(1, 3), (1, 3, 1, 1)]


def named(settings):
    """Say which settings a case has."""
    return ", ".join(f"{name}={value}" for name, value in settings.items()) or "default"


@pytest.mark.parametrize("settings", SETTINGS, ids=named)
@pytest.mark.parametrize("shape", SHAPES)
def test_training_and_evaluation_are_torchs(shape, settings):
    ours, theirs = twins(shape, **settings)
    for step in range(3):
        inputs = draw(shape, seed=step)
        check_equal(pull(ours, inputs), pull(theirs, inputs))
    ours.eval(), theirs.eval()
    inputs = draw(shape, seed=9)
    before = copy.deepcopy(ours.state_dict())
    check_equal(pull(ours, inputs), pull(theirs, inputs))
    check_equal(ours.state_dict(), before, rtol=0, atol=0)
    ours.train(), theirs.train()
    check_equal(pull(ours, inputs), pull(theirs, inputs))


def test_batches_of_different_sizes_are_torchs():
    ours, theirs = twins((6, 3), momentum=None)
    for size in (2, 7, 3):
        inputs = draw((size, 3), seed=size)
        check_equal(pull(ours, inputs), pull(theirs, inputs))


def test_normalizing_is_biased_and_running_variance_is_not():
    ours = BatchNorm(1, momentum=1.0, eps=0.0).double()
    inputs = torch.tensor([[-1.0], [1.0]]).double()
    assert_close(ours(inputs), inputs)
    assert ours.running_var.item() == 2.0


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_tracking_switched_off_later_is_torchs(shape, training):
    ours, theirs = twins(shape)
    for layer in (ours, theirs):
        layer(draw(shape, seed=1))
        layer.track_running_stats = False
        layer.train(training)
    check_equal(pull(ours, draw(shape)), pull(theirs, draw(shape)))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_both_gradients_pass_the_check_in_float64(shape, training):
    ours, _ = twins(shape)
    ours(draw(shape, seed=1))
    ours.train(training)
    ours.momentum = 0.0  # else each evaluation would move the running statistics
    names = ("weight", "bias")
    leaves = [draw(shape).requires_grad_()]
    leaves += [getattr(ours, name).detach().clone().requires_grad_() for name in names]

    def call(inputs, *learned):
        return torch.func.functional_call(ours, dict(zip(names, learned, strict=True)), (inputs,))

    assert gradcheck(call, leaves)
    assert gradgradcheck(call, leaves)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_double_gradient_is_torchs(shape, training):
    found = []
    for layer in twins(shape):
        layer(draw(shape, seed=1))
        layer.train(training)
        inputs = draw(shape).requires_grad_()
        leaves = [inputs, layer.weight, layer.bias]
        first = torch.autograd.grad(layer(inputs).sin().sum(), leaves, create_graph=True)
        length = sum(part.square().sum() for part in first)
        second = torch.autograd.grad(length, leaves)
        found.append(dict(zip(("inputs", "weight", "bias"), (*second,), strict=True)))
    check_equal(*found)


@pytest.mark.parametrize("shape", SHAPES)
def test_torch_func_differentiates_it_too(shape):
    # To track statistics is to write into what torch.func holds fixed; torch's can't either.
    ours, theirs = twins(shape, track_running_stats=False)
    each = [
        torch.func.grad(lambda inputs, f=layer: f(inputs).sin().sum())(draw(shape))
        for layer in (ours, theirs)
    ]
    assert_close(*each)


def large_tensors_kept(layer, inputs):
    """Return what autograd keeps of at least the inputs' size."""
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(kept.append, lambda saved: saved):
        layer(inputs)
    return [saved for saved in kept if saved.numel() >= inputs.numel()]


def plain(inputs):
    """Normalize as the formula stands."""
    mean = inputs.mean(0)
    variance = ((inputs - mean) ** 2).mean(0)
    return torch.linspace(-1, 2, 3).requires_grad_() * ((inputs - mean) / torch.sqrt(variance))


def test_only_the_inputs_are_kept_for_the_backward_pass():
    inputs = draw((64, 3)).requires_grad_()
    [kept] = large_tensors_kept(twins((64, 3))[0], inputs)
    assert kept.data_ptr() == inputs.data_ptr()
    assert len(large_tensors_kept(plain, inputs)) == 3


# --- state


@pytest.mark.parametrize("settings", SETTINGS, ids=named)
@pytest.mark.parametrize("shape", SHAPES)
def test_state_goes_both_ways(shape, settings):
    ours, theirs = twins(shape, **settings)
    ours(draw(shape)), theirs(draw(shape, seed=1))
    assert ours.state_dict()._metadata == theirs.state_dict()._metadata
    for giver, taker in ((ours, theirs), (theirs, ours)):
        giver(draw(shape, seed=2))
        file = io.BytesIO()
        torch.save(giver.state_dict(), file)
        file.seek(0)
        taker.load_state_dict(torch.load(file, weights_only=True))
        check_equal(taker.state_dict(), giver.state_dict(), rtol=0, atol=0)
        assert_close(taker.eval()(draw(shape)), giver.eval()(draw(shape)))
        giver.train(), taker.train()


@pytest.mark.parametrize("settings", SETTINGS, ids=named)
def test_a_fresh_layer_is_torchs(settings):
    check_equal(BatchNorm(4, **settings).state_dict(), nn.BatchNorm1d(4, **settings).state_dict())


def test_a_deep_copy_is_equal_and_apart():
    ours, _ = twins((6, 3), momentum=None)
    # Behind a backward pass, whose gradients and graph must not be in the way.
    pull(ours, draw((6, 3)))
    other = copy.deepcopy(ours)
    inputs = draw((6, 3), seed=1)
    before = copy.deepcopy(ours.state_dict())
    first = pull(other, inputs)
    check_equal(ours.state_dict(), before, rtol=0, atol=0)
    check_equal(pull(ours, inputs), first, rtol=0, atol=0)


def test_reset_forgets_all_batches():
    ours, theirs = twins((6, 3))
    for layer in (ours, theirs):
        layer(draw((6, 3)))
        layer.reset_running_stats()
    check_equal(ours.state_dict(), theirs.state_dict())
    BatchNorm(3, track_running_stats=False).reset_running_stats()


def test_it_tells_its_settings():
    told = repr(BatchNorm(3, momentum=None, affine=False))
    assert told == "BatchNorm(3, eps=1e-05, momentum=None, affine=False, track_running_stats=True)"


# --- number formats and layouts


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("shape", [(64, 3), (8, 3, 5, 5)])
def test_half_precision_under_float32_is_torchs_to_its_rounding(shape, half, training):
    ours, theirs = twins(shape, torch.float32)
    for seed in range(2):
        ours.train(training or not seed), theirs.train(training or not seed)
        inputs, eps = draw(shape, seed=seed, dtype=half), torch.finfo(half).eps
        check_equal(pull(ours, inputs), pull(theirs, inputs), rtol=2 * eps, atol=2 * eps)


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("shape", [(64, 3), (8, 3, 5, 5)])
def test_a_layer_in_half_precision_is_as_near_to_the_truth_as_torchs(shape, half):
    inputs = draw(shape, dtype=half)
    mine, wanted = (pull(layer, inputs) for layer in twins(shape, half))
    exact = pull(twins(shape)[1], inputs.double())
    for name, value in exact.items():
        ours, theirs = (found[name].double() - value for found in (mine, wanted))
        # One rounding of the result is allowed; torch rounds its saved statistics, too.
        rounding = torch.finfo(half).eps * value.abs().max().item()
        assert mine[name].dtype == wanted[name].dtype
        assert ours.abs().max() <= max(rounding, theirs.abs().max().item()), name


def test_half_precision_is_computed_in_float32():
    inputs = draw((64, 3), dtype=torch.bfloat16)
    ours = BatchNorm(3)
    assert torch.equal(ours(inputs), BatchNorm(3)(inputs.float()).bfloat16())
    exact = draw((64, 3), dtype=torch.bfloat16).float().mean(0)
    assert_close(ours.running_mean, 0.1 * exact)


@pytest.mark.parametrize("training", [True, False])
def test_channels_last_stays_so(training):
    found = []
    for layer in twins((4, 3, 5, 2)):
        layer.train(training)
        inputs = draw((4, 3, 5, 2)).to(memory_format=torch.channels_last).requires_grad_()
        outputs = layer(inputs)
        outputs.sin().sum().backward()
        for held in (outputs, inputs.grad):
            assert held.is_contiguous(memory_format=torch.channels_last)
        found.append({"outputs": outputs.detach(), "inputs": inputs.grad})
    check_equal(*found)


# --- few values, none, and what is refused


@pytest.mark.parametrize("settings", SETTINGS, ids=named)
@pytest.mark.parametrize("shape", ONE)
def test_a_batch_of_one_has_torchs_error(shape, settings):
    ours, theirs = twins(shape, **settings)
    before = copy.deepcopy(ours.state_dict())
    with pytest.raises(ValueError) as caught:
        theirs(draw(shape))
    check_refused(lambda: ours(draw(shape)), str(caught.value))
    check_equal(ours.state_dict(), before)


@pytest.mark.parametrize("shape", ONE)
def test_a_batch_of_one_is_evaluated(shape):
    ours, theirs = (layer.eval() for layer in twins(shape))
    assert_close(ours(draw(shape)), theirs(draw(shape)))
    alone = BatchNorm(3, track_running_stats=False).eval()
    with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
        alone(torch.ones(shape))


def test_one_image_of_two_pixels_is_enough():
    ours, theirs = twins((1, 3, 1, 2))
    inputs = draw((1, 3, 1, 2))
    check_equal(pull(ours, inputs), pull(theirs, inputs))


@pytest.mark.parametrize("settings", SETTINGS, ids=named)
@pytest.mark.parametrize("shape", EMPTY)
def test_an_empty_batch_is_torchs(shape, settings):
    ours, theirs = twins(shape, **settings)
    for training in (True, False):
        ours.train(training), theirs.train(training)
        check_equal(
            pull(ours, torch.zeros(shape).double()), pull(theirs, torch.zeros(shape).double())
        )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_features": 0}, "num_features must be a whole number >= 1, got 0"),
        ({"num_features": 2.5}, "num_features must be a whole number >= 1, got 2.5"),
        ({"eps": -1e-5}, "eps must be >= 0, got -1e-05"),
        ({"eps": float("inf")}, "eps must be finite, got inf"),
        ({"momentum": 1.5}, "momentum must be in [0, 1], got 1.5"),
    ],
)
@pytest.mark.usefixtures("unchecked_shapes")
def test_wrong_settings_are_refused(settings, message):
    check_refused(lambda: BatchNorm(**{"num_features": 3} | settings), message)


@pytest.mark.usefixtures("unchecked_shapes")
def test_wrong_inputs_are_refused():
    ours = BatchNorm(3)
    wanted = "[batch, features] or [batch, channels, height, width]"
    for shape in ((3,), (2, 3, 4), (2, 3, 4, 4, 4)):
        check_refused(
            lambda shape=shape: ours(torch.ones(shape)),
            f"inputs must have shape {wanted}, got {list(shape)}",
        )
    check_refused(lambda: ours(torch.ones(2, 4)), "inputs must have 3 features, got [2, 4]")
    check_refused(lambda: ours([1.0]), "inputs must be a tensor, got list")
    check_refused(
        lambda: ours(torch.ones(2, 3).long()), "inputs must be floating point, got torch.int64"
    )


FORMATS = [torch.bfloat16, torch.float16, torch.float32, torch.float64]


@pytest.mark.parametrize("settings", SETTINGS[-3:], ids=named)
@pytest.mark.parametrize("held", FORMATS)
@pytest.mark.parametrize("given", FORMATS)
def test_number_formats_mix_where_torchs_do(given, held, settings):
    ours, theirs = twins((6, 3), held, **settings)
    try:
        theirs(draw((6, 3), dtype=given))
    except RuntimeError:
        message = f"inputs must be {held}, as the layer is, got {given}"
        check_refused(lambda: ours(draw((6, 3), dtype=given)), message)
    else:
        assert ours(draw((6, 3), dtype=given)).dtype == given
