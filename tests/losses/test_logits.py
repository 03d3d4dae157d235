import pytest
import torch

from kdlab import losses


@pytest.mark.usefixtures("unchecked_shapes")
def test_bad_temperature():
    z = torch.zeros(2, 3)
    with pytest.raises(ValueError, match=r"^temperature must be > 0, got -1.0$"):
        losses.soft_target_loss(z, z, temperature=-1.0)
    with pytest.raises(ValueError, match=r"shapes must be equal"):
        losses.soft_target_loss(z, z[:1], temperature=1.0)


def test_shapes_checked():
    z = torch.zeros(2, 3)
    with pytest.raises(Exception, match="student_logits|teacher_logits"):
        losses.soft_target_loss(z, z[:1], temperature=1.0)
