"""Attention maps of teacher and student side by side, layer by layer."""

from collections.abc import Mapping

import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

from kdlab._checks import check_features, check_same_length
from kdlab.losses import attention_map, attention_transfer_loss
from kdlab.losses._common import same_size
from kdlab.widgets import _stills as stills
from kdlab.widgets._traits import Index, Number
from kdlab.widgets._view import check_images, to_bytes
from kdlab.widgets.page import PageView

POWERS = (0.5, 8.0)
SIDE = 120


class AttentionView(PageView, module="explore_attention", uses=("attention",)):
    """What `explore_attention` returns.

    Attributes:
        example: Which image, 0 to examples - 1.
        layer: Which pair of layers, 0 to layers - 1.
        power: Exponent p of the maps, 0.5 to 8.
    """

    title = "Attention of teacher and student"
    shown = ("example", "layer", "power")

    example = Index(lambda view: len(view.images)).tag(sync=True)
    layer = Index(lambda view: len(view.names)).tag(sync=True)
    power = Number(*POWERS, 2.0).tag(sync=True)
    _images = traitlets.Bytes().tag(sync=True)
    _image_shape = traitlets.List([0, 0, 0, 0]).tag(sync=True)
    _student = traitlets.Bytes().tag(sync=True)
    _teacher = traitlets.Bytes().tag(sync=True)
    _layers = traitlets.List().tag(sync=True)

    def __init__(self, images: Tensor, pairs: Mapping[str, tuple[Tensor, Tensor]], **traits):
        self.images, self.pairs, self.names = images, pairs, [*pairs]
        sides = [torch.cat([pair[side].flatten() for pair in pairs.values()]) for side in (0, 1)]
        super().__init__(
            _images=to_bytes(images),
            _image_shape=list(images.shape),
            _student=to_bytes(sides[0]),
            _teacher=to_bytes(sides[1]),
            _layers=[_described(name, *pair) for name, pair in pairs.items()],
            **traits,
        )

    @property
    def maps(self) -> tuple[Float[Tensor, "height width"], Float[Tensor, "height width"]]:
        """The student's and the teacher's map of the image that is shown."""
        return tuple(attention_map(one, power=self.power)[0] for one in self._shown)

    @property
    def distance(self) -> float:
        """Squared Euclidean distance of the two maps."""
        return attention_transfer_loss(*self._shown, power=self.power).item()

    @property
    def _shown(self) -> tuple[Tensor, Tensor]:
        chosen = slice(self.example, self.example + 1)
        student, teacher = self.pairs[self.names[self.layer]]
        return student[chosen].double(), teacher[chosen].double()

    def summary(self) -> str:
        """Say how far the maps are apart."""
        where = f"Example {self.example}, {self.names[self.layer]}, p = {self.power:g}"
        return f"{where}: squared distance of the attention maps {self.distance:.4f}"

    def still(self) -> str:
        """Draw the image and both maps."""
        body = stills.words(10, 20, self.summary())
        body += stills.thumbnails([self.images[self.example]], top=50, size=SIDE)
        student, teacher = self.maps
        sides = (("Teacher", teacher, stills.TEACHER), ("Student", student, stills.STUDENT))
        for number, (name, values, colour) in enumerate(sides, start=1):
            left = 10 + number * (SIDE + 20)
            body += stills.words(left, 42, name)
            body += stills.cells(values.tolist(), left=left, top=50, side=SIDE, colour=colour)
        width = max(3 * SIDE + 60, 20 + 6.6 * len(self.summary()))
        text = {"title": self.title, "description": self.summary()}
        return stills.picture(body, width=width, height=SIDE + 60, **text)


def explore_attention(
    images: Tensor,
    student_maps: Mapping[str, Tensor],
    teacher_maps: Mapping[str, Tensor],
    *,
    example: int = 0,
    layer: int = 0,
    power: float = 2.0,
) -> AttentionView:
    """Show where teacher and student look, with the exponent p as a slider.

    Everything is computed in the browser, from the activations that are given.

    Args:
        images: uint8 or floats in [0, 1], [examples, channels, height, width]; a dozen will do.
        student_maps: Activations of these images by layer, each
            [examples, channels, height, width], as `schemes.record` gives them.
        teacher_maps: As many layers of the teacher's, paired with the student's in order; where
            a pair differs in size, the larger is averaged down. Channels may differ.
        example, layer, power: What is shown at the start.

    Returns:
        The view. `save_html(path)` writes it as a page that works without Python.

    Raises:
        ValueError: There is no layer, their numbers differ, maps are no maps of these images,
            or a value is out of range.
    """
    for name, maps in {"student_maps": student_maps, "teacher_maps": teacher_maps}.items():
        if not isinstance(maps, Mapping):
            raise ValueError(f"{name} must be activations by layer, got {type(maps).__name__}")
    if not student_maps or len(student_maps) != len(teacher_maps):
        came = f"{len(student_maps)} and {len(teacher_maps)}"
        raise ValueError(f"student_maps and teacher_maps must be equally many, got {came}")
    pairs = {}
    for (mine, student), (theirs, teacher) in zip(
        student_maps.items(), teacher_maps.items(), strict=True
    ):
        name = mine if mine == theirs else f"{mine} / {theirs}"
        pairs[name] = _pair(student, teacher, images, f"student_maps[{mine!r}]", theirs)
    pictures = check_images(images, next(iter(pairs.values()))[0])
    return AttentionView(pictures, pairs, example=example, layer=layer, power=power)


def _pair(
    student: Tensor, teacher: Tensor, images: Tensor, name: str, theirs: str
) -> tuple[Tensor, Tensor]:
    named = {name: student, f"teacher_maps[{theirs!r}]": teacher}
    check_features(4, **named)
    check_same_length(**named, images=images)
    sent = [one.detach().float().cpu() for one in same_size(student, teacher)]
    for whose, one in zip(named, sent, strict=True):
        if not torch.isfinite(one).all():
            raise ValueError(f"{whose} must be finite, got {one[~torch.isfinite(one)][0].item()}")
    return sent[0].contiguous(), sent[1].contiguous()


def _described(name: str, student: Tensor, teacher: Tensor) -> dict:
    height, width = student.shape[2:]
    channels = [student.shape[1], teacher.shape[1]]
    return {"name": name, "channels": channels, "height": height, "width": width}
