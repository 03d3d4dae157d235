"""Parts of a data set: drawn by a seed, without some classes, on a device."""

import pytest
import torch

from kdlab.data import Dataset

TRAIN, TEST = 50, 20


@pytest.fixture
def dataset() -> Dataset:
    """Image i is filled with i, its class is i modulo 5."""

    def part(count):
        number = torch.arange(count)
        return number.byte()[:, None, None, None].expand(count, 1, 4, 4).clone(), number % 5

    return Dataset("small", "here", *part(TRAIN), *part(TEST), tuple("abcde"))


def numbers(images) -> list[int]:
    return images[:, 0, 0, 0].tolist()


def test_repr_is_one_line(dataset):
    assert repr(dataset) == "small: 50 training and 20 test images of 1x4x4, here"


def test_take_keeps_images_and_targets_together(dataset):
    taken = dataset.take(train=13, test=7)
    for images, targets, count in (
        (taken.train_images, taken.train_targets, 13),
        (taken.test_images, taken.test_targets, 7),
    ):
        assert len(set(numbers(images))) == len(targets) == count
        assert [number % 5 for number in numbers(images)] == targets.tolist()


def test_take_without_counts_keeps_all_in_order(dataset):
    taken = dataset.take()
    assert numbers(taken.train_images) == list(range(TRAIN))
    assert numbers(taken.test_images) == list(range(TEST))


def test_take_all_is_a_permutation(dataset):
    taken = numbers(dataset.take(train=TRAIN).train_images)
    assert sorted(taken) == list(range(TRAIN))
    assert taken != list(range(TRAIN))


def test_the_same_seed_takes_the_same(dataset):
    first, again = (numbers(dataset.take(train=10, seed=3).train_images) for _ in range(2))
    assert first == again
    assert first != numbers(dataset.take(train=10, seed=4).train_images)


def test_take_does_not_touch_the_global_generator(dataset):
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    dataset.take(train=10)
    assert torch.equal(torch.rand(3), expected)


def test_take_leaves_the_data_set_as_it_is(dataset):
    dataset.take(train=10).train_images.zero_()
    assert numbers(dataset.train_images) == list(range(TRAIN))


def test_take_refuses_more_than_there_are(dataset):
    with pytest.raises(ValueError, match=r"^train must be at most 50, got 51$"):
        dataset.take(train=51)
    with pytest.raises(ValueError, match=r"^test must be at most 20, got 21$"):
        dataset.take(test=21)


@pytest.mark.parametrize("count", [0, -1, 2.5])
def test_take_refuses_what_is_no_count(dataset, unchecked_shapes, count):
    with pytest.raises(ValueError, match=rf"^train must be a whole number >= 1, got {count}$"):
        dataset.take(train=count)


def test_take_refuses_what_is_no_seed(dataset, unchecked_shapes):
    with pytest.raises(ValueError, match="^seed must be a whole number >= 0, got 'a'$"):
        dataset.take(train=3, seed="a")


def test_without_drops_classes_from_training_only(dataset):
    rest = dataset.without(3, 1)
    assert numbers(rest.train_images) == [n for n in range(TRAIN) if n % 5 not in (1, 3)]
    assert set(rest.train_targets.tolist()) == {0, 2, 4}
    assert numbers(rest.test_images) == list(range(TEST))
    assert rest.class_names == dataset.class_names


def test_without_nothing_keeps_all(dataset):
    assert numbers(dataset.without().train_images) == list(range(TRAIN))


@pytest.mark.parametrize(
    "label, says",
    [
        (5, r"^classes must be in \[0, 5\), got 5$"),
        (-1, r"^classes must be a whole number >= 0, got -1$"),
        (1.5, r"^classes must be a whole number >= 0, got 1.5$"),
    ],
)
def test_without_refuses_what_is_no_class(dataset, unchecked_shapes, label, says):
    with pytest.raises(ValueError, match=says):
        dataset.without(2, label)


def test_to_moves_all_four_tensors(dataset):
    moved = dataset.to("meta")
    tensors = (moved.train_images, moved.train_targets, moved.test_images, moved.test_targets)
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert moved.device.type == "meta"
    assert dataset.device.type == "cpu"
    assert (moved.name, moved.class_names) == (dataset.name, dataset.class_names)
