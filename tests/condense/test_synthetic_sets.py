"""The synthetic set and its file, its starts, its soft labels."""

import pytest
import torch
from _refusals import check_refused
from _sets import CLASSES, build, real_set, synthetic_set
from safetensors.torch import save_file
from torch.testing import assert_close

from kdlab import data
from kdlab.condense import Synthetic, draw_noise, label_softly, take_real


def made():
    """Return a set that has a history."""
    given = synthetic_set(2, torch.float32)
    return label_softly(given, build(1), temperature=2.0).noted("by hand", steps=3, rates=[0.1, 2])


def test_a_file_gives_back_the_set_and_its_recipe(tmp_path):
    path, first = tmp_path / "deep" / "set.safetensors", made()
    first.images.requires_grad_()
    first.save(path)
    again = Synthetic.load(path)
    assert torch.equal(again.images, first.images) and torch.equal(again.labels, first.labels)
    assert (
        again.recipe
        == first.recipe
        == (
            {"method": "soft labels", "temperature": 2.0},
            {"method": "by hand", "steps": 3, "rates": [0.1, 2]},
        )
    )
    assert not again.images.requires_grad
    assert [found.name for found in path.parent.iterdir()] == ["set.safetensors"]
    # The numbers and a little more.
    assert path.stat().st_size < 4 * (6 * 64 + 6 * CLASSES) + 1000


def test_a_file_is_whole_or_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "set.safetensors"
    made().save(path)
    kept = path.read_bytes()

    def broken(*args):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", broken)
    with pytest.raises(OSError, match="disk full"):
        synthetic_set(1).save(path)
    assert path.read_bytes() == kept and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("damage", [lambda data: data[:100], lambda data: b"", lambda data: b"no"])
def test_a_damaged_file_is_refused(tmp_path, damage):
    path = tmp_path / "set.safetensors"
    made().save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"set\.safetensors is no synthetic set: "):
        Synthetic.load(path)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "set.safetensors"
    save_file({"images": torch.zeros(1, 1, 2, 2)}, path)
    with pytest.raises(ValueError, match="is no synthetic set"):
        Synthetic.load(path)
    save_file({"weights": torch.zeros(2)}, path, metadata={"kdlab": '{"recipe": []}'})
    with pytest.raises(ValueError, match="is no synthetic set"):
        Synthetic.load(path)
    with pytest.raises(FileNotFoundError, match=r"other\.safetensors is not there"):
        Synthetic.load(tmp_path / "other.safetensors")


def test_it_loads_as_a_data_set(tmp_path):
    digits = data.load("digits")
    chosen = take_real(digits.train_images, digits.train_targets, torch.arange(20))
    chosen.save(tmp_path / "set.safetensors")
    small = Synthetic.load(tmp_path / "set.safetensors").as_dataset(digits)
    assert torch.equal(small.train_targets, digits.train_targets[:20])
    assert small.test_images is digits.test_images and small.class_names == digits.class_names
    assert repr(small) == (
        "digits: 20 training and 500 test images of 1x28x28, 20 synthetic images for 1297"
    )
    (batch,) = data.Batches(small.train_images, small.train_targets, batch_size=20)
    expected = data.to_float(digits.train_images[:20])
    assert_close(batch.images, expected[batch.indices])


def test_real_images_are_copied_and_labelled():
    images, targets = real_set()
    chosen = take_real(images, targets, torch.tensor([4, 2]), classes=CLASSES)
    assert torch.equal(chosen.images, images[[4, 2]])
    assert chosen.labels.tolist() == [[0, 1, 0], [0, 0, 1]] and chosen.targets.tolist() == [1, 2]
    chosen.images.zero_()
    assert images[[4, 2]].abs().sum() > 0
    whole = take_real(images, targets, torch.arange(30), classes=CLASSES)
    assert whole.images.data_ptr() != images.data_ptr()


def test_noise_fills_its_range_and_follows_its_seed():
    before = torch.get_rng_state()
    noise, again = (draw_noise(5, (3, 8, 8), classes=4, seed=1) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before) and torch.equal(noise.images, again.images)
    assert not torch.equal(noise.images, draw_noise(5, (3, 8, 8), classes=4).images)
    assert noise.images.shape == (20, 3, 8, 8) and noise.targets.tolist() == [
        label for label in range(4) for _ in range(5)
    ]
    assert 0 <= noise.images.min() < 0.01 and 0.99 < noise.images.max() <= 1


def test_soft_labels_are_the_teachers_softened_predictions():
    given, teacher = synthetic_set(2, torch.float32), build(1).train()
    soft = label_softly(given, teacher, temperature=2.0)
    expected = (build(1)(given.images) / 2).softmax(dim=1).detach()
    assert_close(soft.labels, expected)
    assert_close(soft.logits.softmax(dim=1), soft.labels)
    assert torch.equal(soft.images, given.images) and teacher.training
    assert given.labels.max() == 1 and given.recipe == ()


def test_a_hard_labels_logits_are_finite():
    logits = synthetic_set().logits
    assert logits.isfinite().all() and (logits.softmax(dim=1) - synthetic_set().labels).max() < 1e-8


def test_a_copy_does_not_change_with_the_set():
    first = made()
    twin, moved = first.copy(), first.to("cpu")
    first.images += 1
    assert_close(twin.images + 1, first.images)
    assert moved.recipe == first.recipe


def test_it_tells_what_it_is():
    assert repr(synthetic_set(2)) == "6 synthetic images of 1x8x8, 3 classes: no recipe"
    assert repr(made()).endswith("3 classes: soft labels, by hand")


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: Synthetic(torch.zeros(2, 1, 4, 4), torch.zeros(3, 10)),
            "lengths must be equal, got images 2 and labels 3",
        ),
        (
            lambda: Synthetic(torch.zeros(2, 1, 4, 4), torch.zeros(2)),
            "labels must have shape [batch, classes], got [2]",
        ),
        (
            lambda: take_real(*real_set(), torch.arange(2), classes=2),
            "targets must be in [0, 2), got 0 to 2",
        ),
        (lambda: draw_noise(0, (1, 8, 8)), "per_class must be a whole number >= 1, got 0"),
        (
            lambda: label_softly(synthetic_set(1, torch.float32), build(0), temperature=0.0),
            "temperature must be > 0, got 0.0",
        ),
        (
            lambda: label_softly(draw_noise(1, (1, 8, 8)), build(0), temperature=1.0),
            "teacher must know 10 classes, got 3",
        ),
    ],
)
def test_bad_input_is_refused(call, message):
    check_refused(call, message)
