"""explore_attention: the Python side, without a browser."""

import re
import xml.etree.ElementTree as ElementTree

import pytest
import torch
from torch.testing import assert_close

from kdlab.losses import attention_map, attention_transfer_loss
from kdlab.widgets import explore_attention

GENERATOR = torch.Generator().manual_seed(6)
IMAGES = torch.randint(0, 256, (4, 1, 8, 8), generator=GENERATOR, dtype=torch.uint8)
STUDENT = {
    "block1": torch.randn(4, 2, 4, 4, generator=GENERATOR),
    "block2": torch.randn(4, 3, 2, 2, generator=GENERATOR),
}
TEACHER = {
    "block1": torch.randn(4, 5, 4, 4, generator=GENERATOR),
    "block3": torch.randn(4, 7, 4, 4, generator=GENERATOR),
}


def make(**more):
    return explore_attention(IMAGES, STUDENT, TEACHER, **more)


@pytest.mark.parametrize("power", [0.5, 2.0, 5.0])
@pytest.mark.parametrize("layer", [0, 1])
def test_maps_and_distance_are_the_library_s(layer, power):
    view = make(example=2, layer=layer, power=power)
    student = [*STUDENT.values()][layer][2:3].double()
    teacher = [*TEACHER.values()][layer][2:3].double()
    loss = attention_transfer_loss(student, teacher, power=power)
    assert view.distance == pytest.approx(loss.item(), rel=1e-6)
    assert_close(view.maps[0], attention_map(student, power=power)[0], rtol=1e-6, atol=1e-6)
    assert view.maps[1].shape == view.maps[0].shape


def test_repr_summary_still_and_names():
    view = make(layer=1)
    assert repr(view) == "explore_attention(example=0, layer=1, power=2.0)"
    assert view.names == ["block1", "block2 / block3"]
    assert view.summary() == (
        "Example 0, block2 / block3, p = 2: squared distance of the attention maps "
        f"{view.distance:.4f}"
    )
    root = ElementTree.fromstring(view.still())
    # The card, two frames, and 2 x 2 cells of each map.
    assert len(root.findall(".//{http://www.w3.org/2000/svg}rect")) == 1 + 2 + 8
    data, _ = view._repr_mimebundle_()
    assert data["text/plain"] == view.summary() and data["image/svg+xml"] == view.still()


def test_the_module_imports_nothing_and_has_one_default_export():
    text = make()._esm
    assert re.findall(r"^\s*import\b|\bimport\s*\(|\brequire\s*\(", text, re.M) == []
    assert text.count("export default { render };") == 1


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("power", 0.4, r"power must be in \[0.5, 8\], got 0.4"),
        ("example", 4, r"example must be a whole number in \[0, 4\), got 4"),
        ("layer", 2, r"layer must be a whole number in \[0, 2\), got 2"),
    ],
)
def test_a_wrong_value_is_refused_and_the_old_one_stays(name, value, message):
    view = make()
    before = getattr(view, name)
    with pytest.raises(ValueError, match=message):
        setattr(view, name, value)
    assert getattr(view, name) == before
    with pytest.raises(ValueError, match=message):
        make(**{name: value})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"student_maps": IMAGES}, "student_maps must be activations by layer, got Tensor"),
        ({"student_maps": {}}, "student_maps and teacher_maps must be equally many, got 0 and 2"),
        (
            {"teacher_maps": {"a": TEACHER["block1"]}},
            "student_maps and teacher_maps must be equally many, got 2 and 1",
        ),
        (
            {"student_maps": STUDENT | {"block1": torch.ones(4, 3)}},
            r"student_maps\['block1'\] must have shape \[batch, channels, height, width\]",
        ),
        ({"images": IMAGES[:3]}, "lengths must be equal, got .* and images 3"),
        (
            {"teacher_maps": TEACHER | {"block1": TEACHER["block1"] / 0}},
            r"teacher_maps\['block1'\] must be finite, got ",
        ),
    ],
)
def test_wrong_arguments_say_which(unchecked_shapes, change, message):
    arguments = {"images": IMAGES, "student_maps": STUDENT, "teacher_maps": TEACHER}
    with pytest.raises(ValueError, match=message):
        explore_attention(**arguments | change)
