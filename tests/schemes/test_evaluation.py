"""A model that is asked for its logits keeps no trace of it."""

import pytest
import torch
from _probes import Probe, same, small_net, small_set, weights
from torch.testing import assert_close

from kdlab.data import move_images, to_float
from kdlab.schemes import evaluate, predict, predict_moved
from kdlab.schemes.evaluation import evaluating


def test_predict_is_the_model_in_eval_mode_in_parts():
    images, _ = small_set()
    model = small_net(dropout=0.5)
    expected = model.eval()(to_float(images)).detach()
    model.train()
    for batch_size in (1000, 7):
        assert_close(predict(model, images, batch_size=batch_size), expected)
    assert_close(predict(model, to_float(images)), expected)
    assert not predict(model, images).requires_grad


@pytest.mark.parametrize("shift", [0, 1])
def test_predict_moved_asks_at_every_place_of_every_image(shift):
    images, _ = small_set()
    model, places = small_net(dropout=0.5).train(), (2 * shift + 1) ** 2
    found = predict_moved(model, images, shift=shift, batch_size=7)
    assert model.training and found.shape == (len(images) * places, 3)
    for example, place in ((0, 0), (3, places - 1), (39, places // 2)):
        at = move_images(to_float(images[[example]]), torch.tensor([place]), pixels=shift)
        assert_close(found[example * places + place], model.eval()(at)[0].detach())
    with pytest.raises(ValueError, match="^shift must be a whole number >= 0, got -1$"):
        predict_moved(model, images, shift=-1)


def test_predict_leaves_modes_buffers_and_gradients():
    images, _ = small_set()
    model = Probe().train()
    model.norm.eval()
    before = weights(model)
    predict(model, images)
    assert [call["parts"] for call in model.calls] == [{False}]
    assert model.training and model.net.training and not model.norm.training
    assert same(weights(model), before)
    assert all(p.grad is None for p in model.parameters())
    assert torch.is_grad_enabled()


def test_modes_come_back_after_an_error():
    model = Probe().train()
    with pytest.raises(RuntimeError, match="^stop$"), evaluating(model):
        raise RuntimeError("stop")
    assert model.training and model.norm.training


def test_evaluate_counts_errors():
    images, targets = small_set()
    model = small_net()
    wrong = (predict(model, images).argmax(dim=1) != targets).sum()
    assert evaluate(model, images, targets) == wrong


@pytest.mark.usefixtures("unchecked_shapes")
def test_images_that_are_no_tensor():
    with pytest.raises(ValueError, match=r"^images must be a tensor, got list$"):
        predict(small_net(), [[0.0]])


def test_bad_input():
    images, _ = small_set()
    with pytest.raises(ValueError, match=r"^images must hold at least one image, got 0$"):
        predict(small_net(), images[:0])
    with pytest.raises(ValueError, match=r"^batch_size must be a whole number >= 1, got 0$"):
        predict(small_net(), images, batch_size=0)
