"""Siamese augmentation: each kind by its definition, one change a class, gradients."""

import dataclasses

import pytest
import torch
from _refusals import check_refused
from torch.testing import assert_close

from kdlab.condense import Augmentation, augment, draw_omega
from kdlab.condense.augment import KINDS

SIDE = 8


def drawn(kinds=KINDS, rows=4, seed=0, **rest):
    generator = torch.Generator().manual_seed(seed)
    return draw_omega(rows, Augmentation(kinds=kinds, **rest), generator)


def some_images(count=3, channels=1, side=SIDE):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, channels, side, side, generator=generator, dtype=torch.float64)


def still(rows=3):
    """Return changes of size 0, to be replaced one at a time."""
    return drawn(
        KINDS, rows, shift=0, scale=1, rotate=0, cutout=0, brightness=0, saturation=0, contrast=0
    )


def changed(images, **fields):
    """Change all images alike by what differs from standing still."""
    values = {name: torch.tensor([value] * len(images)) for name, value in fields.items()}
    omega = dataclasses.replace(still(len(images)), turn=torch.eye(2).repeat(len(images), 1, 1))
    omega = dataclasses.replace(omega, **values)
    return augment(images, torch.arange(len(images)), omega)


# ---- each kind by its definition -------------------------------------------------------------


def test_nothing_is_changed_by_nothing():
    images = some_images()
    assert augment(images, torch.arange(3), None) is images
    assert_close(changed(images), images)


def test_a_shift_is_by_whole_pixels_and_black_comes_in():
    images, expected = some_images(), torch.zeros(3, 1, SIDE, SIDE).double()
    # 0.2 and 0.13 of 8 pixels are 1.6 and 1.04: 2 to the left, 1 up.
    expected[:, :, :-1, :-2] = images[:, :, 1:, 2:]
    assert_close(changed(images, shift=[0.2, 0.13]), expected)


def test_turns_are_rotations_mirrors_and_scales():
    images = some_images()
    quarter = changed(images, turn=[[0.0, -1.0], [1.0, 0.0]])
    assert_close(quarter, torch.rot90(images, 1, dims=(2, 3)), rtol=1e-5, atol=1e-5)
    assert_close(changed(images, turn=[[-1.0, 0.0], [0.0, 1.0]]), images.flip(3))
    # Read twice as far from the middle: every second place between pixels, black around.
    half = changed(images, turn=[[2.0, 0.0], [0.0, 2.0]])
    expected = torch.nn.functional.avg_pool2d(images, 2)
    assert_close(half[:, :, 2:6, 2:6], expected)
    assert half[:, :, 0].abs().max() == 0


def test_colours_by_their_formulas():
    images = some_images(channels=3)
    means = images.mean(dim=(1, 2, 3), keepdim=True)
    assert_close(changed(images, brightness=0.1), images + 0.1)
    assert_close(
        changed(images, contrast=0.5), means + 0.5 * (images - means), rtol=1e-6, atol=1e-6
    )
    grey = images.mean(dim=1, keepdim=True)
    assert_close(changed(images, saturation=0.0), grey.expand_as(images))


def test_a_hole_is_black_and_as_wide_as_told():
    images = some_images() + 1
    found = changed(images, hole=[0.0, 0.5], hole_side=0.5)
    black = (found == 0)[0, 0]
    # Half of 8 pixels around the middle across, and around 3/4 of the way down.
    assert black.nonzero().amin(0).tolist() == [4, 2] and black.nonzero().amax(0).tolist() == [7, 5]
    assert black.sum() == 16 and torch.equal(found[~(found == 0)], images[~(found == 0)])


# ---- what is drawn ---------------------------------------------------------------------------


def test_draws_fill_their_ranges():
    omega = drawn(rows=4000, one_at_a_time=False)
    scales = torch.linalg.vector_norm(omega.turn, dim=1)
    assert 1 / 1.2 - 1e-6 < scales.min() < 0.85 and 1.18 < scales.max() < 1.2 + 1e-6
    degrees = torch.rad2deg(torch.atan2(omega.turn[:, 0, 1], omega.turn[:, 1, 1])).abs()
    assert 14.5 < degrees.max() < 15.001
    assert torch.linalg.det(omega.turn).sign().mean().abs() < 0.1
    for field, most in (("shift", 0.125), ("brightness", 0.15)):
        values = getattr(omega, field)
        assert 0.97 * most < values.max() <= most and -most <= values.min() < -0.97 * most
    for field, most in (("saturation", 1.0), ("contrast", 0.5)):
        values = getattr(omega, field) - 1
        assert 0.97 * most < values.max() <= most and -most <= values.min() < -0.97 * most
    assert set(omega.hole_side.tolist()) == {0.5} and omega.hole.abs().max() > 0.97


def kinds_of(omega):
    """Return which kinds each row of changes has."""
    eye = torch.eye(2)
    turned = omega.turn[:, 0, 1] != 0
    plain = ~turned & (omega.turn != eye).any(dim=(1, 2))
    flipped = plain & (omega.turn[:, 0, 0] == -1)
    each = [
        (omega.shift != 0).any(dim=1),
        plain & ~flipped,
        turned,
        flipped,
        omega.hole_side > 0,
        omega.brightness != 0,
        omega.saturation != 1,
        omega.contrast != 1,
    ]
    return torch.stack(each, dim=1)


def test_one_kind_at_a_time_and_all_come():
    found = kinds_of(drawn(rows=400))
    # Half of the flips leave an image as it is.
    assert found.sum(dim=1).max() == 1 and (found.sum(dim=1) == 1).double().mean() > 0.85
    assert found.any(dim=0).all()
    digits = kinds_of(draw_omega(400, Augmentation(), torch.Generator()))
    assert digits.any(dim=0).tolist() == [True, True, True, False, True, True, False, True]


def test_a_seed_fixes_the_draw_and_leaves_the_global_generator():
    before = torch.get_rng_state()
    first, again, other = drawn(seed=1), drawn(seed=1), drawn(seed=2)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(map(torch.equal, vars(first).values(), vars(again).values()))
    assert not torch.equal(first.hole, other.hole)


# ---- siamese ---------------------------------------------------------------------------------


def check_siamese(change):
    """One image as real and as synthetic: alike in one class, not in two; in any order."""
    image = some_images(1)
    omega = drawn(one_at_a_time=False)
    real = change(image.expand(4, -1, -1, -1), torch.tensor([0, 1, 2, 3]), omega)
    own = change(image.expand(3, -1, -1, -1), torch.tensor([2, 0, 2]), omega)
    assert torch.equal(own, real[[2, 0, 2]])
    assert all((real[i] - real[j]).abs().max() > 0.01 for i in range(4) for j in range(i))


def test_one_class_is_changed_alike_on_both_sides():
    check_siamese(augment)


@pytest.mark.parametrize(
    "bug",
    [
        # One change for the batch; rows by place and not by class; a draw of its own each time.
        lambda images, rows, omega: augment(images, torch.zeros_like(rows), omega),
        lambda images, rows, omega: augment(images, torch.arange(len(rows)), omega),
        lambda images, rows, omega: augment(images, rows, drawn(seed=len(rows))),
    ],
)
def test_a_planted_bug_is_caught(bug):
    with pytest.raises(AssertionError):
        check_siamese(bug)


# ---- gradients -------------------------------------------------------------------------------


def check_slope(change):
    images, rows = some_images(4, channels=3), torch.arange(4)
    for kind in (*KINDS, "all"):
        kinds = KINDS if kind == "all" else (kind,)
        omega = drawn(kinds, one_at_a_time=False)
        whole = images.clone().requires_grad_()
        found = change(whole, rows, omega)
        assert found.requires_grad, kind
        weights = torch.randn(found.shape, generator=torch.Generator().manual_seed(2)).double()
        (slope,) = torch.autograd.grad((found * weights).sum(), whole)
        for place in ((0, 0, 2, 3), (1, 2, 4, 4), (3, 1, 7, 0)):
            ends = []
            for step in (1e-4, -1e-4):
                moved = images.clone()
                moved[place] += step
                ends.append(float((change(moved, rows, omega) * weights).sum()))
            expected = (ends[0] - ends[1]) / 2e-4
            assert float(slope[place]) == pytest.approx(expected, rel=1e-6, abs=1e-8), kind


def test_gradients_are_slopes_for_every_kind():
    check_slope(augment)


def rounded(images, rows, omega):
    found = augment(images, rows, omega)
    return found + ((found * 255).round() / 255 - found).detach().abs()


def test_a_planted_gradient_is_caught():
    with pytest.raises(AssertionError):
        check_slope(rounded)
    with pytest.raises(AssertionError):
        check_slope(lambda images, rows, omega: augment(images.detach(), rows, omega))


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Augmentation(kinds=()), "kinds must have length >= 1, got ()"),
        (lambda: Augmentation(shift=1.5), "shift must be in [0, 1], got 1.5"),
        (lambda: Augmentation(scale=0.9), "scale must be >= 1, got 0.9"),
        (lambda: Augmentation(rotate=-1.0), "rotate must be >= 0, got -1.0"),
        (lambda: Augmentation(contrast=2), "contrast must be in [0, 1], got 2"),
        (lambda: drawn(rows=0), "rows must be a whole number >= 1, got 0"),
        (
            lambda: augment(some_images(3), torch.zeros(2, dtype=torch.int64), still()),
            "lengths must be equal, got images 3 and rows 2",
        ),
    ],
)
def test_bad_input_is_refused(call, message):
    check_refused(call, message)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match=r"^kinds\[1\] must be one of 'shift', "):
        Augmentation(kinds=("shift", "blur"))
