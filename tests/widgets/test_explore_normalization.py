"""explore_normalization: the Python side, without a browser."""

import math
import re
import xml.etree.ElementTree as ElementTree

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from kdlab.widgets import explore_normalization

NUMBERS = torch.tensor([2.0, -1.0, 4.5, 0.25, 9.0], dtype=torch.double)
SVG = "{http://www.w3.org/2000/svg}"


def make(**more):
    return explore_normalization(**{"numbers": NUMBERS, "batch_size": 4, **more})


def torch_s(view):
    """Return torch's own layer with the view's state."""
    layer = nn.BatchNorm1d(1, eps=view.eps, momentum=view.momentum).double()
    with torch.no_grad():
        layer.weight.fill_(view.gamma)
        layer.bias.fill_(view.beta)
        layer.running_mean.fill_(view.running_mean)
        layer.running_var.fill_(view.running_var)
    return layer.train(view.training)


@pytest.mark.parametrize("training", [True, False])
def test_outputs_are_torch_s_and_follow_the_traits(training):
    view = make()
    view.gamma, view.beta, view.eps, view.training = 1.5, -0.5, 0.3, training
    view.numbers, view.batch_size = NUMBERS.flip(0).tolist(), 3
    view.running_mean, view.running_var = 0.7, 2.5
    batch = NUMBERS.flip(0)[:3]
    expected = torch_s(view)(batch[:, None]).flatten().detach()
    # Single precision on the way would show.
    assert_close(view.outputs, expected, rtol=1e-12, atol=1e-12)
    assert_close(view.normalized, (expected + 0.5) / 1.5)


def test_the_batch_s_statistics():
    view = make()
    mean, variance = view.statistics
    assert mean.item() == pytest.approx(NUMBERS[:4].mean().item())
    assert variance.item() == pytest.approx(NUMBERS[:4].var(correction=0).item())
    assert view.unbiased == pytest.approx(NUMBERS[:4].var().item())


def test_training_uses_the_batch_s_statistics_and_evaluation_the_running_ones():
    view = make()
    assert_close(view.used.mean, view.statistics.mean)
    assert_close(view.used.variance, view.statistics.variance)
    view.training, view.running_mean, view.running_var = False, -2.0, 3.0
    assert [value.item() for value in view.used] == [-2.0, 3.0]


@pytest.mark.parametrize("momentum", [0.0, 0.1, 1.0])
def test_a_step_is_torch_s(momentum):
    view = make(momentum=momentum, training=False)
    layer = torch_s(view).train()
    for _ in range(3):
        view.step()
        layer(view.batch)
    running = [layer.running_mean.item(), layer.running_var.item()]
    assert [view.running_mean, view.running_var] == pytest.approx(running)
    # A step is a layer's, the view's mode is what it was.
    assert view.training is False


def test_many_steps_come_to_mean_and_unbiased_variance():
    view = make()
    for _ in range(300):
        view.step()
    running = [view.running_mean, view.running_var]
    assert running == pytest.approx([NUMBERS[:4].mean().item(), NUMBERS[:4].var().item()])


@pytest.mark.parametrize("eps", [1e-5, 0.5])
def test_undo_changes_nothing_in_both_modes(eps):
    view = make(eps=eps)
    view.undo()
    for view.training in (True, False):
        assert_close(view.outputs, NUMBERS[:4])
        assert view.undone == pytest.approx({"gamma": view.gamma, "beta": view.beta})
    # In evaluation any batch stays, in training this one alone.
    view.numbers = NUMBERS.flip(0).tolist()
    assert_close(view.outputs, NUMBERS.flip(0)[:4])
    view.training = True
    assert (view.outputs - view.batch.flatten()).abs().max() > 0.1


@pytest.mark.parametrize("training", [True, False])
def test_what_would_undo_it_does(training):
    view = make(training=training)
    view.running_mean, view.running_var = 0.7, 2.5
    undone = view.undone
    view.gamma, view.beta = undone["gamma"], undone["beta"]
    assert_close(view.outputs, NUMBERS[:4])


def test_a_single_number_is_refused_in_training_alone():
    view = make(batch_size=1)
    assert view.refused and math.isnan(view.unbiased)
    assert len(view.outputs) == len(view.normalized) == 0
    assert view.summary().endswith("a single number has no spread, training refuses it")
    for act in (view.step, view.undo):
        with pytest.raises(ValueError, match="more than 1 value per channel"):
            act()
    assert (view.running_mean, view.running_var) == (0, 1)
    view.training = False
    assert not view.refused
    assert view.outputs.item() == pytest.approx(2.0, abs=1e-4)


def test_equal_numbers_become_beta():
    view = make(numbers=torch.full((3,), 7.0), batch_size=3, gamma=5.0, beta=0.5)
    assert_close(view.outputs, torch.full((3,), 0.5, dtype=torch.double))


def test_the_numbers_that_are_drawn():
    view = explore_normalization()
    assert len(view.numbers) == 16 and view.batch_size == 8
    assert view.numbers == explore_normalization().numbers
    drawn = torch.tensor(view.numbers)
    assert drawn.mean().item() == pytest.approx(3, abs=0.8)
    assert drawn.std().item() == pytest.approx(1.5, abs=0.5)
    assert view._source == pytest.approx([drawn.mean().item(), drawn.std(correction=0).item()])


def test_repr_and_summary():
    view = make(gamma=2.0, eps=0.5)
    assert repr(view) == (
        "explore_normalization(batch_size=4, gamma=2.0, beta=0.0, eps=0.5, momentum=0.1, "
        "training=True)"
    )
    mean, variance = (value.item() for value in view.statistics)
    assert view.summary() == (
        f"Batch of 4 in training, by the batch: mean {mean:.4g}, biased variance {variance:.4g}, "
        f"running 0 and 1; outputs of mean 0.0000 and variance {view.outputs.var(correction=0):.4f}"
        f"; undone by gamma {math.sqrt(variance + 0.5):.4g}, beta {mean:.4g}"
    )
    view.training = False
    assert view.summary().startswith("Batch of 4 in evaluation, by the running ones: mean ")


def dots(view, colour):
    root = ElementTree.fromstring(view.still())
    assert root.find(f"{SVG}desc").text == view.summary()
    return [
        float(node.get("cx")) for node in root.findall(f"{SVG}circle") if node.get("fill") == colour
    ]


def test_the_still_shows_all_three_rows_on_one_axis():
    view = make(gamma=-2.0, beta=1.0)
    rows = {"#555555": view.batch.flatten(), "#009E73": view.normalized, "#D55E00": view.outputs}
    end = 1.08 * max(row.abs().max().item() for row in rows.values())
    for colour, row in rows.items():
        expected = [130 + 490 * (1 + x / end) / 2 for x in row.tolist()]
        assert dots(view, colour) == pytest.approx(expected, abs=0.06)
    lines = ElementTree.fromstring(view.still()).findall(f"{SVG}polyline")
    assert [len(line.get("points").split()) for line in lines] == [3] * 4
    data, _ = view._repr_mimebundle_()
    assert data["text/plain"] == view.summary() and data["image/svg+xml"] == view.still()


def test_the_still_of_a_refused_batch_has_no_outputs():
    view = make(batch_size=1)
    assert len(dots(view, "#555555")) == 1 and dots(view, "#D55E00") == []


def test_the_module_imports_nothing_and_has_one_default_export():
    text = make()._esm
    assert re.findall(r"^\s*import\b|\bimport\s*\(|\brequire\s*\(", text, re.M) == []
    assert text.count("export default { render };") == 1


def test_the_page_is_small_and_needs_no_network(tmp_path):
    view = make()
    text = view.save_html(tmp_path / "view.html").read_text("utf-8")
    assert len(text) < 70_000 and view.still() in text
    assert re.findall(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", text) == []


def test_single_precision_and_gradients_are_taken():
    view = make(numbers=NUMBERS.float().requires_grad_())
    assert view.numbers == NUMBERS.tolist()
    assert not view.outputs.requires_grad


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("numbers", [0.0], "numbers must be 5 numbers, got 1"),
        ("numbers", [101.0] * 5, "numbers must be numbers in [-100, 100], got [101.0, "),
        ("batch_size", 6, "batch_size must be a whole number in [0, 6), got 6"),
        ("batch_size", 0, "batch_size must be >= 1, got 0"),
        ("gamma", 1001, "gamma must be in [-1000, 1000], got 1001"),
        ("beta", math.nan, "beta must be in [-1000, 1000], got nan"),
        ("eps", 0, "eps must be in [1e-08, 10], got 0"),
        ("momentum", 1.1, "momentum must be in [0, 1], got 1.1"),
        ("running_mean", -101, "running_mean must be in [-100, 100], got -101"),
        ("running_var", -1, "running_var must be in [0, 20000], got -1"),
    ],
)
def test_a_wrong_trait_is_refused_and_the_old_one_stays(name, value, message):
    view = make()
    before = getattr(view, name)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        setattr(view, name, value)
    assert getattr(view, name) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"numbers": NUMBERS.tolist()}, "numbers must be a tensor, got list"),
        ({"numbers": NUMBERS.long()}, "numbers must be floating point, got torch.int64"),
        ({"numbers": NUMBERS[:1]}, "numbers must have shape [2 to 16 numbers], got [1]"),
        ({"numbers": torch.zeros(17)}, "numbers must have shape [2 to 16 numbers], got [17]"),
        ({"numbers": NUMBERS[None]}, "numbers must have shape [2 to 16 numbers], got [1, 5]"),
        ({"numbers": NUMBERS / 0}, "numbers must be numbers in [-100, 100], got "),
        ({"batch_size": 0}, "batch_size must be >= 1, got 0"),
        ({"eps": 0.0}, "eps must be in [1e-08, 10], got 0.0"),
    ],
)
def test_wrong_arguments_say_which(unchecked_shapes, change, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        make(**change)


def test_the_farthest_numbers_can_be_stepped_and_undone():
    view = make(numbers=torch.tensor([100.0, -100.0]), batch_size=2, momentum=1.0)
    view.step()
    assert view.running_var == pytest.approx(20_000)
    view.undo()
    assert_close(view.outputs, torch.tensor([100.0, -100.0], dtype=torch.double))
