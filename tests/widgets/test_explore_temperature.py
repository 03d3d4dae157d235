"""explore_temperature: the Python side, without a browser."""

import base64
import io
import math
import re

import numpy as np
import pytest
import torch
from PIL import Image

from kdlab.losses import soften
from kdlab.widgets import explore_temperature

LOGITS = torch.tensor([[4.0, 1.0, -2.0], [0.0, 0.0, 0.0], [1.0, 2.0, 3.0]])
IMAGES = torch.arange(3 * 2 * 2, dtype=torch.uint8).reshape(3, 1, 2, 2)


def test_probabilities_and_entropy_follow_the_traits():
    view = explore_temperature(LOGITS, temperature=2.0)
    expected = soften(LOGITS[0].double(), temperature=2.0)
    torch.testing.assert_close(view.probabilities, expected)
    assert view.entropy == pytest.approx(-(expected * expected.log()).sum().item())
    view.example = 1
    assert view.entropy == pytest.approx(math.log(3))


def test_summary_names_the_likeliest_class():
    view = explore_temperature(LOGITS, class_names=["cat", "dog", "owl"], example=2)
    assert view.summary() == (
        "Softmax of example 2 at T = 1: owl has 0.665, entropy 0.832 nats (76% of uniform)"
    )


def test_the_browser_gets_the_logits_as_float32():
    view = explore_temperature(LOGITS.double())
    assert np.frombuffer(view._logits, "float32").tolist() == LOGITS.flatten().tolist()


def test_logits_with_a_gradient_or_in_half_precision_are_taken():
    view = explore_temperature(LOGITS.bfloat16().requires_grad_())
    assert not view.logits.requires_grad
    torch.testing.assert_close(view.logits, LOGITS)


@pytest.mark.parametrize("images", [IMAGES, IMAGES[:, 0], IMAGES.float() / 255])
def test_images_arrive_as_bytes(images):
    view = explore_temperature(LOGITS, images=images)
    assert view._image_shape == [3, 1, 2, 2]
    assert list(view._images) == list(range(12))


def picture_of(view):
    """Return the pixels of the only image in the still, or None."""
    found = re.findall(r'href="data:image/png;base64,([^"]*)"', view.still())
    assert len(found) <= 1
    return np.array(Image.open(io.BytesIO(base64.b64decode(found[0])))) if found else None


def test_the_still_shows_the_chosen_image_as_ink_and_no_other():
    view = explore_temperature(LOGITS, images=IMAGES, example=2)
    assert (255 - picture_of(view) == IMAGES[2, 0].numpy()).all()
    assert picture_of(explore_temperature(LOGITS)) is None


def test_the_still_of_a_photograph_stays_small(generator):
    photographs = torch.randint(256, (3, 3, 200, 100), generator=generator, dtype=torch.uint8)
    view = explore_temperature(LOGITS, images=photographs)
    assert picture_of(view).shape == (48, 24, 3)
    assert len(view.still()) < 10_000


@pytest.mark.parametrize("example", [-1, 3, 1.5, "0", True])
def test_an_example_that_is_not_there_is_refused(example):
    view = explore_temperature(LOGITS)
    with pytest.raises(ValueError, match=r"^example must be a whole number in \[0, 3\), got "):
        view.example = example
    assert view.example == 0


@pytest.mark.parametrize(
    ("logits", "images", "message"),
    [
        (LOGITS[0], None, r"logits must have shape \[batch, classes\], got \[3\]"),
        (LOGITS[:, :1], None, "logits must have at least 2 classes, got 1"),
        (LOGITS.log(), None, "logits must be finite, got nan"),
        (LOGITS.double() * 1e300, None, "logits must be finite, got "),
        (LOGITS, IMAGES[:2], "lengths must be equal, got images 2 and logits 3"),
        (LOGITS, IMAGES.short() - 1, r"images must be in \[0, 255\], got -1 to 10"),
        (LOGITS, IMAGES.long() + 250, r"images must be in \[0, 255\], got 250 to 261"),
        (LOGITS, IMAGES.reshape(3, 4), "images must have shape .*, got .3, 4."),
        (LOGITS, IMAGES.reshape(3, 2, 2, 1), "images must have shape .*, got .3, 2, 2, 1."),
    ],
)
def test_wrong_arguments_say_which(unchecked_shapes, logits, images, message):
    with pytest.raises(ValueError, match=message):
        explore_temperature(logits, images=images)
