"""Dark knowledge over a set of test images: which one looks like which class."""

import traitlets
from jaxtyping import Float, Int64
from torch import Tensor

from kdlab._checks import check_same_length, check_targets
from kdlab.losses import soften
from kdlab.metrics import class_similarity, confusion_matrix
from kdlab.widgets import _stills as stills
from kdlab.widgets._traits import Index, temperature
from kdlab.widgets._view import check_images, check_names, check_scores, to_bytes
from kdlab.widgets.page import PageView

# A matrix of more classes has cells too small to read, and takes longer than a frame.
MOST_CLASSES = 20
STILL_IMAGES = 10


class DarkKnowledgeView(PageView, module="explore_dark_knowledge", uses=("matrix",)):
    """What `explore_dark_knowledge` returns.

    Attributes:
        temperature: T, 0.1 to 100.
        true_class: The class whose images are shown, as a number.
        other_class: The class they are compared with, as a number.
    """

    title = "Dark knowledge"
    shown = ("temperature", "true_class", "other_class")

    temperature = temperature(4.0)
    true_class = Index(lambda view: len(view.class_names)).tag(sync=True)
    other_class = Index(lambda view: len(view.class_names)).tag(sync=True)
    _logits = traitlets.Bytes().tag(sync=True)
    _targets = traitlets.Bytes().tag(sync=True)
    _images = traitlets.Bytes().tag(sync=True)
    _image_shape = traitlets.List().tag(sync=True)
    _class_names = traitlets.List().tag(sync=True)

    def __init__(self, logits: Tensor, targets: Tensor, images: Tensor, names, **traits) -> None:
        self.logits, self.targets, self.images = logits, targets, images
        self.class_names = names
        super().__init__(
            _logits=to_bytes(logits),
            _targets=to_bytes(targets.byte()),
            _images=to_bytes(images),
            _image_shape=list(images.shape),
            _class_names=list(names),
            **traits,
        )

    @property
    def similarity(self) -> Float[Tensor, "classes classes"]:
        """Mean softened prediction (column) of each true class (row), at T."""
        return class_similarity(self.logits.double(), self.targets, temperature=self.temperature)

    @property
    def confusion(self) -> Int64[Tensor, "classes classes"]:
        """Images by true class (row) and largest score (column); T has no say in it."""
        return confusion_matrix(self.logits, self.targets)

    @property
    def order(self) -> Int64[Tensor, "shown"]:
        """Rows of the true class, the one that looks most like the other class first."""
        chosen = (self.targets == self.true_class).nonzero().flatten()
        likeness = soften(self.logits[chosen].double(), temperature=self.temperature)
        likeness = likeness[:, self.other_class]
        return chosen[likeness.argsort(descending=True, stable=True)]

    def summary(self) -> str:
        """Say how alike the two chosen classes are, and how often they are mistaken."""
        pair = (self.true_class, self.other_class)
        true, other = (self.class_names[index] for index in pair)
        return (
            f"Dark knowledge at T = {self.temperature:g} over {len(self.targets)} images: {true} "
            f"looks like {other} with mean probability {self.similarity[pair]:.3f}; "
            f"{self.confusion[pair]} of {int((self.targets == self.true_class).sum())} "
            f"are called {other}"
        )

    def still(self) -> str:
        """Draw the similarity matrix, and the images that look most like the other class."""
        table = stills.heatmap(self.similarity.tolist(), self.class_names, top=40)
        body = stills.words(10, 20, f"Class similarity at T = {self.temperature:g}") + table
        true, other = self.class_names[self.true_class], self.class_names[self.other_class]
        below = 40 + stills.CELL * len(self.class_names)
        body += stills.words(10, below + 22, f"The images of {true} most like {other}:")
        first = self.order[:STILL_IMAGES].tolist()
        body += stills.thumbnails([self.images[index] for index in first], top=below + 30)
        width = max(stills.heatmap_width(self.class_names) + 20, 36 * STILL_IMAGES + 20)
        text = {"title": self.title, "description": self.summary()}
        return stills.picture(body, width=width, height=below + 72, **text)


def explore_dark_knowledge(
    logits: Float[Tensor, "examples classes"],
    targets: Int64[Tensor, "examples"],
    *,
    images: Tensor,
    class_names=None,
    temperature: float = 4.0,
) -> DarkKnowledgeView:
    """Order test images by how much each looks like another class, while T moves.

    Beside them stand the class-similarity matrix, which moves with T, and the confusion
    matrix, which does not; a click or the arrow keys on a cell choose the pair. Everything
    is computed in the browser, for one to two thousand images within a frame. It starts at
    the pair that the teacher mistakes most often.

    Args:
        logits: Raw scores of the test images.
        targets: Their classes.
        images: uint8 or floats in [0, 1], [examples, channels, height, width].
        class_names: One name a class; None numbers them.
        temperature: T at the start, 0.1 to 100.

    Returns:
        The view. `save_html(path)` writes it as a page that works without Python.

    Raises:
        ValueError: Shapes do not fit, a score is not finite, there are more than 20
            classes, or a value is out of range.
    """
    scores = check_scores(logits=logits)["logits"]
    classes = scores.shape[1]
    if classes > MOST_CLASSES:
        raise ValueError(f"logits must have at most {MOST_CLASSES} classes, got {classes}")
    check_targets(classes, targets=targets)
    check_same_length(logits=logits, targets=targets)
    pictures = check_images(images, scores)
    if pictures is None:
        raise ValueError("images must be a tensor, got None")
    true, other = _most_mistaken(scores, targets.cpu())
    pair = {"true_class": true, "other_class": other, "temperature": temperature}
    names = check_names(class_names, classes)
    return DarkKnowledgeView(scores, targets.cpu(), pictures, names, **pair)


def _most_mistaken(logits: Tensor, targets: Tensor) -> tuple[int, int]:
    mistakes = confusion_matrix(logits, targets).fill_diagonal_(0)
    # Without any mistake: the pair of classes that look most alike.
    if not mistakes.any():
        mistakes = class_similarity(logits, targets, temperature=4.0).nan_to_num()
        mistakes = mistakes.fill_diagonal_(0)
    return divmod(int(mistakes.argmax()), logits.shape[1])
