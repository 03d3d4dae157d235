"""explore_dark_knowledge: the Python side, without a browser."""

import pytest
import torch

from kdlab.metrics import class_similarity, confusion_matrix
from kdlab.widgets import explore_dark_knowledge

LOGITS = torch.tensor(
    [[5.0, 2.0, 0.0], [5.0, 4.0, 0.0], [3.0, 4.0, 0.0], [0.0, 6.0, 0.0], [0.0, 1.0, 9.0]]
)
TARGETS = torch.tensor([0, 0, 0, 1, 2])
IMAGES = torch.zeros(5, 1, 4, 4, dtype=torch.uint8)


def make(**more):
    return explore_dark_knowledge(LOGITS, TARGETS, images=IMAGES, **more)


def test_matrices_are_the_library_s():
    view = make(temperature=3.0)
    expected = class_similarity(LOGITS.double(), TARGETS, temperature=3.0)
    torch.testing.assert_close(view.similarity, expected)
    assert view.confusion.equal(confusion_matrix(LOGITS, TARGETS))


def test_temperature_moves_the_similarity_and_not_the_confusion():
    view = make()
    similarity, confusion = view.similarity, view.confusion
    view.temperature = 40
    assert not torch.allclose(view.similarity, similarity)
    assert view.confusion.equal(confusion)


def test_starts_at_the_pair_that_is_mistaken_most():
    view = make()
    assert (view.true_class, view.other_class) == (0, 1)


def test_starts_at_the_most_similar_pair_where_nothing_is_mistaken():
    view = explore_dark_knowledge(LOGITS[[0, 3, 4]], TARGETS[[0, 3, 4]], images=IMAGES[:3])
    assert (view.true_class, view.other_class) == (0, 1)


def test_images_are_ordered_by_likeness_to_the_other_class():
    view = make()
    assert view.order.tolist() == [2, 1, 0]
    view.other_class = 0
    assert view.order.tolist() == [0, 1, 2]


def test_a_class_without_images_leaves_room_for_nothing():
    view = explore_dark_knowledge(LOGITS[:4], TARGETS[:4], images=IMAGES[:4])
    view.true_class = 2
    assert view.order.tolist() == []
    assert "<svg" in view.still()


def test_summary_says_how_alike_and_how_often_mistaken():
    assert make(class_names="abc").summary() == (
        "Dark knowledge at T = 4 over 5 images: a looks like b with mean probability 0.370; "
        "1 of 3 are called b"
    )


@pytest.mark.parametrize("name", ["true_class", "other_class"])
def test_a_class_that_is_not_there_is_refused(name):
    with pytest.raises(ValueError, match=rf"^{name} must be a whole number in \[0, 3\), got 3$"):
        setattr(make(), name, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"targets": TARGETS + 1}, r"targets must be in \[0, 3\), got 1 to 3"),
        ({"targets": TARGETS[:4]}, "lengths must be equal, got logits 5 and targets 4"),
        ({"images": IMAGES[:4]}, "lengths must be equal, got images 4 and logits 5"),
        ({"images": None}, "images must be a tensor, got None"),
        ({"logits": torch.zeros(5, 21)}, "logits must have at most 20 classes, got 21"),
    ],
)
def test_wrong_arguments_say_which(unchecked_shapes, change, message):
    arguments = {"logits": LOGITS, "targets": TARGETS, "images": IMAGES, **change}
    with pytest.raises(ValueError, match=message):
        explore_dark_knowledge(**arguments)
