"""Batches: every example once an epoch, reproducible, moved and converted as one."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kdlab.data import Batches, count_places, move_images, shift_images, to_float


def numbered(count: int, size: int = 4):
    """Image i is filled with i; its target is i too."""
    number = torch.arange(count)
    return number.byte()[:, None, None, None].expand(count, 1, size, size).clone(), number


def epoch(batches) -> list[int]:
    return [index for batch in batches for index in batch.indices.tolist()]


@settings(max_examples=40)
@given(count=st.integers(1, 60), batch_size=st.integers(1, 70), seed=st.integers(0, 5))
def test_every_example_comes_exactly_once_an_epoch(count, batch_size, seed):
    batches = Batches(*numbered(count), batch_size=batch_size, seed=seed)
    for _ in range(2):
        sizes = [len(batch.targets) for batch in batches]
        assert len(sizes) == len(batches)
        assert all(size == batch_size for size in sizes[:-1])
        assert sorted(epoch(batches)) == list(range(count))


@pytest.mark.parametrize("shift", [0, 1])
def test_images_targets_and_indices_belong_together(shift):
    for images, targets, indices in Batches(*numbered(50), batch_size=8, shift=shift):
        examples = indices // count_places(shift)
        assert torch.equal(targets, examples)
        # An image moved by one pixel keeps its middle.
        assert torch.equal((images[:, 0, 1, 1] * 255).round().long(), examples)


@pytest.mark.parametrize("shift", [0, 2])
def test_the_same_seed_gives_the_same_sequence_of_epochs(shift):
    one, other = (Batches(*numbered(40), batch_size=7, seed=5, shift=shift) for _ in range(2))
    for _ in range(3):
        for left, right in zip(one, other, strict=True):
            assert all(torch.equal(a, b) for a, b in zip(left, right, strict=True))


def test_epochs_differ_and_so_do_seeds():
    batches = Batches(*numbered(40), seed=1)
    first, second = epoch(batches), epoch(batches)
    assert first != second
    assert first != epoch(Batches(*numbered(40), seed=2))
    assert first != list(range(40))


def test_the_global_generator_has_no_say():
    torch.manual_seed(1)
    first = [batch.images for batch in Batches(*numbered(30), shift=2)]
    torch.manual_seed(2)
    again = [batch.images for batch in Batches(*numbered(30), shift=2)]
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_the_set_stays_bytes_and_as_it_was():
    images, targets = numbered(30)
    batches = Batches(images, targets, shift=2)
    for batch in batches:
        batch.images.zero_()
    assert batches.images is images
    assert torch.equal(images, numbered(30)[0])
    assert images.dtype == torch.uint8


def test_fixed_tells_if_logits_can_be_kept():
    assert Batches(*numbered(3)).fixed
    assert not Batches(*numbered(3), shift=1).fixed


def test_batches_refuse_unequal_lengths(unchecked_shapes):
    images, targets = numbered(5)
    with pytest.raises(ValueError, match="^lengths must be equal, got images 5 and targets 4$"):
        Batches(images, targets[:4])


def test_batches_refuse_an_empty_set():
    images, targets = numbered(5)
    with pytest.raises(ValueError, match="^images must hold at least one image, got 0$"):
        Batches(images[:0], targets[:0])


@pytest.mark.parametrize(
    "setting, says",
    [
        ({"batch_size": 0}, "^batch_size must be a whole number >= 1, got 0$"),
        ({"batch_size": 1.5}, "^batch_size must be a whole number >= 1, got 1.5$"),
        ({"shift": -1}, "^shift must be a whole number >= 0, got -1$"),
        ({"seed": "a"}, "^seed must be a whole number >= 0, got 'a'$"),
    ],
)
def test_batches_refuse_what_is_no_count(unchecked_shapes, setting, says):
    with pytest.raises(ValueError, match=says):
        Batches(*numbered(5), **setting)


def test_bytes_become_floats_between_zero_and_one():
    every = torch.arange(256).byte().view(1, 1, 16, 16)
    floats = to_float(every)
    assert floats.dtype == torch.float32
    assert torch.equal(floats.flatten(), torch.arange(256) / 255)
    assert torch.equal(every.flatten(), torch.arange(256).byte())


def test_floats_pass_through():
    images = torch.rand(2, 1, 3, 3)
    assert to_float(images) is images


def test_numbers_of_words_pass_through():
    words = torch.tensor([[3, 0], [1, 2]])
    assert to_float(words) is words


@pytest.mark.parametrize(
    "inputs", [torch.arange(60).view(30, 2), torch.arange(60.0).view(30, 2), torch.arange(30.0)]
)
def test_what_is_no_image_comes_in_batches_too(inputs):
    seen = [batch for _ in range(2) for batch in Batches(inputs, torch.arange(30), batch_size=8)]
    assert [len(batch.targets) for batch in seen] == [8, 8, 8, 6] * 2
    for images, targets, indices in seen:
        assert torch.equal(images, inputs[indices]) and images.dtype == inputs.dtype
        assert torch.equal(targets, indices)


def test_what_is_no_image_is_not_moved():
    message = r"^images must have shape \[examples, 1 or 3 .*\], got \[1, 2\]$"
    with pytest.raises(ValueError, match=message):
        Batches(torch.zeros(4, 2), torch.zeros(4, dtype=torch.int64), shift=1)


def test_other_numbers_are_refused(unchecked_shapes):
    with pytest.raises(ValueError, match="^images must be uint8 or floating point, got torch.int"):
        to_float(torch.zeros(2, 1, 3, 3, dtype=torch.int64))


def moved(images, down: int, right: int):
    """Move all images alike, pixel by pixel."""
    result = torch.zeros_like(images)
    height, width = images.shape[2:]
    for row in range(height):
        for column in range(width):
            if 0 <= row - down < height and 0 <= column - right < width:
                result[:, :, row, column] = images[:, :, row - down, column - right]
    return result


@pytest.mark.parametrize("pixels, shape", [(1, (1, 5, 5)), (2, (3, 4, 6)), (3, (2, 4, 4))])
def test_each_image_moves_by_its_own_amount_and_all_moves_occur(pixels, shape, generator):
    moves = [(d, r) for d in range(-pixels, pixels + 1) for r in range(-pixels, pixels + 1)]
    images = torch.rand(40 * len(moves), *shape, generator=generator) + 0.1
    found = shift_images(images, pixels=pixels, generator=generator)
    # Every pixel is > 0 and random, so that a result fits one move and no other.
    fits = torch.stack([(moved(images, *move) == found).flatten(1).all(1) for move in moves])
    assert (fits.sum(0) == 1).all()
    # Uniform: 40 are expected of each move; six standard deviations are 38.
    counts = fits.sum(1)
    assert 2 < counts.min() and counts.max() < 78


@pytest.mark.parametrize("pixels", [0, 1, 2])
def test_places_count_from_right_and_down_to_left_and_up(pixels, generator):
    image = torch.rand(1, 2, 5, 6, generator=generator)
    moves = [(d, r) for d in range(pixels, -pixels - 1, -1) for r in range(pixels, -pixels - 1, -1)]
    assert count_places(pixels) == len(moves)
    found = move_images(
        image.expand(len(moves), -1, -1, -1), torch.arange(len(moves)), pixels=pixels
    )
    assert torch.equal(found, torch.cat([moved(image, *move) for move in moves]))
    assert torch.equal(found[len(moves) // 2], image[0])


def test_indices_of_moved_batches_tell_example_and_place(generator):
    images = torch.randint(1, 256, (30, 1, 5, 5), generator=generator, dtype=torch.uint8)
    batches = Batches(images, torch.arange(30), batch_size=8, shift=1, seed=3)
    assert batches.members == 270 and Batches(images, torch.arange(30)).members == 30
    seen = set()
    for moved_images, targets, indices in (batch for _ in range(40) for batch in batches):
        assert torch.equal(indices // 9, targets)
        again = move_images(to_float(images[targets]), indices % 9, pixels=1)
        assert torch.equal(moved_images, again)
        seen |= set(indices.tolist())
    # 1,200 draws; each of 270 is missed with a chance of (8/9)^40.
    assert len(seen) > 250


def test_no_pixels_no_move(generator):
    images = torch.rand(4, 1, 5, 5, generator=generator)
    assert torch.equal(shift_images(images, pixels=0, generator=generator), images)


def test_shift_gives_a_new_batch(generator):
    images = torch.ones(6, 1, 5, 5)
    shift_images(images, pixels=2, generator=generator).zero_()
    assert images.min() == 1


def test_shift_follows_its_generator():
    images = torch.rand(20, 1, 5, 5)
    one, other, third = (
        shift_images(images, pixels=2, generator=torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    )
    assert torch.equal(one, other)
    assert not torch.equal(one, third)


def test_to_float_takes_no_list(unchecked_shapes):
    with pytest.raises(ValueError, match="^images must be a tensor, got list$"):
        to_float([[0]])


@pytest.mark.parametrize("pixels", [-1, 0.5])
def test_shift_refuses_what_is_no_count(unchecked_shapes, pixels):
    with pytest.raises(ValueError, match=rf"^pixels must be a whole number >= 0, got {pixels}$"):
        shift_images(torch.zeros(1, 1, 2, 2), pixels=pixels)
    with pytest.raises(ValueError, match=rf"^pixels must be a whole number >= 0, got {pixels}$"):
        move_images(torch.zeros(1, 1, 2, 2), torch.zeros(1, dtype=torch.int64), pixels=pixels)
