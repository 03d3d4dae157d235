"""Weights are tried on training images: no test image is shown, none is learnt twice."""

from dataclasses import replace

import torch

from kdlab import data, schemes
from kdlab.experiments import tuning

DIGITS = data.load("digits")


def test_the_images_held_out_are_training_images_and_are_not_learnt():
    found = tuning.held_out(DIGITS)
    assert len(found.test_targets) == 500 and len(found.train_targets) == 797
    images = torch.cat([found.train_images, found.test_images])
    targets = torch.cat([found.train_targets, found.test_targets])
    assert torch.equal(images, DIGITS.train_images)
    assert torch.equal(targets, DIGITS.train_targets)


def test_a_weight_is_told_with_the_errors_of_its_student(monkeypatch, capsys):
    def load(name):
        assert name == "fashion-mnist"
        return replace(DIGITS, name=name)

    shown = []
    real = schemes.evaluate

    def evaluate(model, images, targets):
        shown.append(images)
        return real(model, images, targets)

    monkeypatch.setattr(tuning.data, "load", load)
    monkeypatch.setattr(schemes, "evaluate", evaluate)
    monkeypatch.setattr(tuning, "LABELS", 64)
    monkeypatch.setattr(tuning, "EPOCHS", 30)
    tuning.main(["SP", "1", "1000"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["SP 1", "SP 1000"]
    counts = [int(line.partition(": ")[2]) for line in lines]
    assert all(0 < count < 500 for count in counts) and counts[0] != counts[1]
    assert all(torch.equal(images, DIGITS.train_images[797:]) for images in shown) and shown
