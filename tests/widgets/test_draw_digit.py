"""draw_digit without a browser: strokes in, an image like MNIST's and the model's opinion out."""

import json
import math
import xml.etree.ElementTree as ElementTree

import pytest
import torch
from _memory import memory_kept
from torch import nn

from kdlab import data, losses, models, schemes
from kdlab.widgets import draw_digit
from kdlab.widgets._digits import DIGITS
from kdlab.widgets._strokes import CANVAS, POINTS, RADIUS, check_strokes, to_image

LINE = [[(100, 40), (100, 240)]]


def centre_of_mass(image: torch.Tensor) -> tuple[float, float]:
    """Return the row and the column of an image's centre of mass."""
    ink = image[0, 0].double()
    axis = torch.arange(28.0, dtype=torch.double)
    return (ink.sum(1) @ axis / ink.sum()).item(), (ink.sum(0) @ axis / ink.sum()).item()


def sides(image: torch.Tensor) -> tuple[int, int]:
    """Return how many rows and columns the ink takes."""
    ink = image[0, 0] > 0
    rows, columns = ink.any(1).nonzero(), ink.any(0).nonzero()
    return int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1


class Fixed(nn.Module):
    """Gives the sum of the image as the score of class 0, and notes how it was asked."""

    def __init__(self, classes: int = 3):
        super().__init__()
        self.classes, self.seen = classes, []

    def forward(self, images):
        self.seen.append(
            (self.training, torch.is_inference_mode_enabled(), torch.get_num_threads())
        )
        scores = torch.zeros(len(images), self.classes)
        scores[:, 0] = images.sum((1, 2, 3))
        return scores


# From strokes to an image


def test_no_stroke_is_a_black_image():
    image = to_image([])
    assert image.shape == (1, 1, 28, 28) and image.dtype == torch.uint8 and image.sum() == 0


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("scale", [0.4, 1.0])
def test_ink_fills_the_box_and_its_centre_of_mass_is_the_middle(digit, scale):
    strokes = [[(x * scale, y * scale) for x, y in stroke] for stroke in DIGITS[digit]]
    image = to_image(check_strokes(strokes=strokes))
    # MNIST's own: the longer side is 20 pixels, the centre of mass in [13.5, 14.5].
    assert max(sides(image)) in (19, 20)
    assert all(13.5 - 0.01 <= position <= 14.5 + 0.01 for position in centre_of_mass(image))


def test_place_and_size_of_a_drawing_do_not_matter():
    small = [[(10 + x / 2, 130 + y / 2) for x, y in stroke] for stroke in DIGITS[7]]
    here, there = (to_image(check_strokes(strokes=drawing)) for drawing in (DIGITS[7], small))
    assert (here.int() - there.int()).abs().max() <= 1


def test_the_order_and_direction_of_strokes_do_not_matter():
    turned = [stroke[::-1] for stroke in DIGITS[4][::-1]]
    assert torch.equal(to_image(list(DIGITS[4])), to_image(turned))


def test_proportions_are_kept():
    wide = to_image(check_strokes(strokes=[[(40, 140), (240, 140)]]))
    assert sides(wide)[1] in (19, 20) and sides(wide)[0] <= 5
    assert torch.equal(to_image(check_strokes(strokes=[[(140, 40), (140, 240)]])), wide.mT)


def test_a_line_is_as_wide_as_its_definition_says():
    image = to_image(check_strokes(strokes=LINE))[0, 0].double() / 255
    # Away from its ends, every row of an upright line holds the line's width in ink.
    middle = image[10:18].sum(1)
    torch.testing.assert_close(middle, torch.full((8,), 2 * RADIUS).double(), rtol=0, atol=0.02)


def test_ink_is_what_the_distance_to_the_line_says():
    """The matrix products against the plain definition, pixel by pixel."""
    strokes = check_strokes(strokes=DIGITS[2])
    points = [point for stroke in strokes for point in stroke]
    low = [min(point[i] for point in points) for i in (0, 1)]
    high = [max(point[i] for point in points) for i in (0, 1)]
    scale = (20 - 2 * RADIUS - 1) / max(high[0] - low[0], high[1] - low[1])

    def place(point):
        return [(point[i] - (low[i] + high[i]) / 2) * scale + 13.5 for i in (0, 1)]

    def distance(pixel, a, b):
        along = [b[0] - a[0], b[1] - a[1]]
        length = along[0] ** 2 + along[1] ** 2
        ahead = sum((pixel[i] - a[i]) * along[i] for i in (0, 1))
        share = min(1, max(0, ahead / length))
        return math.dist(pixel, [a[i] + share * along[i] for i in (0, 1)])

    [stroke] = strokes
    lines = [(place(a), place(b)) for a, b in zip(stroke, stroke[1:], strict=False)]
    ink = torch.zeros(28, 28)
    for row in range(28):
        for column in range(28):
            nearest = min(distance((column, row), a, b) for a, b in lines)
            ink[row, column] = min(1, max(0, RADIUS + 0.5 - nearest))
    image = to_image(strokes)[0, 0].float() / 255
    rows, columns = centre_of_mass(ink[None, None])
    moved = torch.roll(ink, (math.floor(14.5 - rows), math.floor(14.5 - columns)), (0, 1))
    torch.testing.assert_close(image, moved, rtol=0, atol=0.003)


def test_a_dot_stays_a_dot():
    image = to_image(check_strokes(strokes=[[(30, 30)]]))
    assert sides(image) == (4, 4) and image.max() == 255
    small = to_image(check_strokes(strokes=[[(30, 30), (36, 30)]]))
    assert sides(small)[0] <= 4 and sides(small)[1] <= 6


def test_points_too_near_to_be_seen_change_little():
    dense = [[(100, 40 + step / 4) for step in range(801)]]
    thin, whole = (to_image(check_strokes(strokes=drawing)) for drawing in (dense, LINE))
    assert (thin.int() - whole.int()).abs().max() <= 1


@pytest.mark.mnist
def test_mnist_is_scaled_and_centred_as_drawings_are():
    images = data.load("mnist").test_images[:500]
    for image in images:
        assert all(13.49 <= position <= 14.51 for position in centre_of_mass(image[None]))
    longest = [max(sides(image[None])) for image in images]
    assert sorted(longest)[len(longest) // 20] == 20 and max(longest) == 20


@pytest.mark.parametrize(
    ("strokes", "message"),
    [
        (3, r"strokes must be lists of \(x, y\), got 3"),
        (1.0, r"strokes must be lists of \(x, y\), got 1.0"),
        (True, r"strokes must be lists of \(x, y\), got True"),
        ([[1, 2]], r"strokes must be lists of \(x, y\), got \[\[1, 2\]\]"),
        ([[(1, "a")]], r"strokes must be lists of \(x, y\)"),
        ([[(1, -2)]], r"strokes must lie in \[0, 280\], got -2"),
        ([[(1, math.nan)]], r"strokes must lie in \[0, 280\], got nan"),
        ([[(1, 2)] * (POINTS + 1)], "strokes must have at most 2000 points, got 2001"),
    ],
)
def test_what_is_no_drawing_is_refused(strokes, message):
    view = draw_digit(Fixed())
    view.draw(1)
    with pytest.raises(ValueError, match=message):
        view.strokes = strokes
    assert view.strokes == DIGITS[1]


# From the browser's pad


def from_pad(view, content):
    """Hand a message over as ipywidgets does, and return how many answers it got."""
    before = view._answers
    view._handle_custom_msg(json.loads(json.dumps(content)), [])
    return view._answers - before


def test_a_drawing_from_the_pad_is_answered_once_and_not_sent_back(monkeypatch):
    view, sent = draw_digit(Fixed()), []
    monkeypatch.setattr(
        view, "send_state", lambda key: sent.extend({key} if key == "strokes" else key)
    )
    assert from_pad(view, {"strokes": LINE}) == 1
    assert view.strokes == check_strokes(strokes=LINE) and view.logits is not None
    assert "_logits" in sent and "strokes" not in sent


def test_the_pad_gets_an_answer_to_the_same_drawing_too():
    view = draw_digit(Fixed())
    view.draw(2)
    assert from_pad(view, {"strokes": DIGITS[2]}) == 1


@pytest.mark.parametrize("content", [{"strokes": 3}, {"strokes": [[(0, 999)]]}, {}, "nonsense"])
def test_nonsense_from_the_pad_is_said_and_changes_nothing(content):
    view = draw_digit(Fixed())
    view.draw(2)
    assert from_pad(view, content) == 1
    assert view.strokes == DIGITS[2] and view.message


# The model's opinion


@pytest.fixture
def model():
    """Return a net with dropout, in train mode: it must be asked in eval mode all the same."""
    return models.mlp((784, 16, 10), dropout=0.5, input_dropout=0.5).train()


def test_a_drawing_is_answered_as_predict_does(model):
    view = draw_digit(model, temperature=2.0)
    view.strokes = LINE
    image = to_image(check_strokes(strokes=LINE))
    expected = schemes.predict(model, image)
    torch.testing.assert_close(view.logits, expected)
    softened = losses.soften(expected[0].double(), temperature=2.0)
    torch.testing.assert_close(view.probabilities, softened)
    assert model.training and all(module.training for module in model.modules())
    assert view._logits == expected.numpy().tobytes() and view._pixels == image.numpy().tobytes()


def test_clearing_takes_the_opinion_back(model):
    view = draw_digit(model)
    view.draw(3)
    assert view.strokes == DIGITS[3] and view.probabilities is not None
    view.strokes = []
    assert view.logits is None and view.probabilities is None and view._logits == b""
    assert set(view._pixels) == {0} and view.summary() == "Nothing is drawn yet"


def test_the_model_is_asked_in_eval_and_inference_mode_with_one_thread():
    model = Fixed().train()
    torch.set_num_threads(2)
    try:
        view = draw_digit(model)
        view.draw(0)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert model.seen == [(False, True, 1)] * 2 and model.training


def test_the_answer_is_no_inference_tensor(model):
    view = draw_digit(model)
    view.draw(0)
    weight = torch.ones((), requires_grad=True)
    (view.logits * weight).sum().backward()
    assert weight.grad is not None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_model_on_another_device(model):
    view = draw_digit(model.cuda())
    view.draw(0)
    assert view.logits.device.type == "cpu" and next(model.parameters()).is_cuda


def test_a_model_whose_weights_are_elsewhere_is_fed_there(model):
    places = []

    class Elsewhere(Fixed):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1, device="meta"))

        def forward(self, images):
            places.append(images.device.type)
            return torch.zeros(1, 3)

    draw_digit(Elsewhere()).draw(1)
    assert places == ["meta", "meta"]


def test_t_changes_the_opinion_and_asks_nothing():
    model = Fixed()
    view = draw_digit(model)
    view.draw(1)
    asked, sure = len(model.seen), view.probabilities[0].item()
    view.temperature = 100.0
    assert len(model.seen) == asked and view.probabilities[0].item() < sure


def test_an_error_of_the_model_is_shown_and_goes_with_the_next_drawing():
    model = Fixed()
    view = draw_digit(model)
    model.classes = 0
    view.draw(1)
    assert view.message.startswith("The model failed with IndexError: ")
    assert view.summary() == view.message and view.logits is None and view._logits == b""
    model.classes = 3
    view.draw(2)
    assert view.message == "" and view.logits is not None


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nn.Flatten(0), "got ValueError: scores must have shape"),
        (nn.Linear(3, 10), "got RuntimeError"),
        (None, "got AttributeError"),
    ],
)
def test_what_is_no_model_is_refused(model, message, unchecked_shapes):
    wanted = r"model must map images \[1, 1, 28, 28\] to scores \[1, classes\], "
    with pytest.raises(ValueError, match=wanted + message):
        draw_digit(model)


def test_wrong_arguments_say_which(model, unchecked_shapes):
    with pytest.raises(ValueError, match="class_names must hold 10 names, got 2"):
        draw_digit(model, class_names=("a", "b"))
    with pytest.raises(ValueError, match=r"temperature must be in \[0.1, 100\], got 0"):
        draw_digit(model, temperature=0)
    with pytest.raises(ValueError, match=r"digit must be in \[0, 10\), got 10"):
        draw_digit(model).draw(10)
    for digit in (1.0, True, "1", -1):
        with pytest.raises(ValueError, match=f"digit must be a whole number >= 0, got {digit!r}"):
            draw_digit(model).draw(digit)


def test_still_and_text_follow_the_drawing():
    view = draw_digit(Fixed(), class_names=("<a>", "b", "c"), temperature=50)
    data, _ = view._repr_mimebundle_()
    assert data["text/plain"] == "Nothing is drawn yet"
    assert "application/vnd.jupyter.widget-view+json" in data
    view.strokes = LINE
    share = view.probabilities[0].item()
    text = f"The model takes the drawing for <a> with {share:.3f} at T = 50"
    assert view.summary() == text
    root = ElementTree.fromstring(view.still())
    [pen] = root.iter("{http://www.w3.org/2000/svg}polyline")
    assert pen.get("points") == f"64,{40 * 180 / CANVAS:.0f} 64,{240 * 180 / CANVAS:.0f}"
    assert f"{share:.3f}" in [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert repr(view) == "draw_digit(temperature=50.0)"


def test_drawings_keep_little_memory(model):
    view = draw_digit(model)

    def draw(count):
        for step in range(count):
            view.strokes = [[(100, 40), (100, 100 + step % 100)]]

    assert memory_kept(draw, warm=20, times=200) < 200_000
