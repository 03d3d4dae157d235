"""Controls: what each keeps of a teacher's answers, and what it destroys."""

import torch
from torch.testing import assert_close

from kdlab.experiments.views import Flattened, LabelsAlone, Permuted
from kdlab.losses import soft_target_loss, soften

LOGITS = 6 * torch.randn(400, 10, generator=torch.Generator().manual_seed(0))
TARGETS = torch.randint(10, (400,), generator=torch.Generator().manual_seed(1))


def test_permuted_keeps_the_top_and_the_numbers_and_moves_the_others():
    found = Permuted()(LOGITS, TARGETS, 0)
    assert torch.equal(found.argmax(1), LOGITS.argmax(1))
    assert torch.equal(found.sort(1).values, LOGITS.sort(1).values)
    top = LOGITS.argmax(1, keepdim=True)
    same = (found == LOGITS).scatter(1, top, False).sum(1).float().mean().item()
    # Of nine that are shuffled one stays on average.
    assert abs(same - 1) < 6 / 400**0.5


def test_permuted_draws_each_row_by_its_seed():
    rows = LOGITS[:1].expand(50, -1)
    found = Permuted()(rows, TARGETS[:50], 3)
    assert len({tuple(row.tolist()) for row in found}) == 50
    assert torch.equal(found, Permuted()(rows, TARGETS[:50], 3))
    assert not torch.equal(found, Permuted()(rows, TARGETS[:50], 4))


def test_flattened_keeps_the_top_probability_and_nothing_else():
    view = Flattened(5.0)
    found, before = (soften(v, temperature=5.0) for v in (view(LOGITS, TARGETS, 0), LOGITS))
    assert_close(found.max(1).values, before.max(1).values)
    assert torch.equal(found.argmax(1), before.argmax(1))
    wrong = found.sort(1).values[:, :-1]
    assert_close(wrong, wrong[:, :1].expand_as(wrong))


def test_flattened_stays_finite_where_a_teacher_is_certain():
    certain = torch.tensor([[1e4, 0.0, -50.0]])
    found = Flattened(1.0)(certain, torch.tensor([0]), 0)
    assert torch.isfinite(found).all() and found.dtype == torch.float32
    assert_close(soften(found, temperature=1.0), torch.tensor([[1.0, 0.0, 0.0]]))


def test_labels_alone_are_the_cross_entropy_of_softened_predictions():
    student = torch.randn(400, 10, generator=torch.Generator().manual_seed(2))
    heard = LabelsAlone(3.0)(LOGITS, TARGETS, 0)
    found = soft_target_loss(student, heard, temperature=3.0)
    expected = 9 * torch.nn.functional.cross_entropy(student / 3, TARGETS)
    assert_close(found, expected)
    assert torch.equal(heard, LabelsAlone(3.0)(-LOGITS, TARGETS, 5))
