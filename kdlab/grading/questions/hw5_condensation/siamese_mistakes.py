"""Wrong ways to change two sides, for question 4 of homework 5.

Variants are called with x, y (real images and targets), s, t (synthetic ones), m (moves) and
f (factors), one of each a class.
"""

import torch

from kdlab.grading.questions.hw5_condensation.siamese_ways import (
    about,
    both,
    by_place,
    change_alike,
    contrast_first,
    contrasted,
    down,
    first_one,
    in_order,
    mean_before,
    mean_of_batch,
    mean_of_class,
    moved,
    next_one,
    own,
    rolled,
    rows,
    side,
    sliced,
)
from kdlab.grading.spec import Mistake

MISTAKES = (
    Mistake(
        "the synthetic side left as it is",
        "Both sides are changed, and alike: else the synthetic images learn to look like changed "
        "ones.",
        (lambda x, y, s, t, m, f: (side(x, y, m, f), s),),
    ),
    Mistake(
        "the real side left as it is",
        "Both sides are changed, and alike: else the synthetic images learn to undo the change.",
        (lambda x, y, s, t, m, f: (x, side(s, t, m, f)),),
    ),
    Mistake(
        "by place instead of by class",
        "moves and factors have an entry for each class, so that moves[target] is an image's own. "
        "Image 3 isn't an image of class 3.",
        (
            rows(by_place, by_place),
            rows(own, by_place),
            lambda x, y, s, t, m, f: (side(x, by_place(y, len(x)), m, f), side(s, t, m, f)),
        ),
    ),
    Mistake(
        "another change for the synthetic side",
        "An image of class c is changed by entry c on the synthetic side as on the real one.",
        (rows(own, next_one),),
    ),
    Mistake(
        "the real classes for both sides",
        "A synthetic image's class is in synthetic_targets: image 0 of the one side needn't have "
        "the class of image 0 of the other.",
        (lambda x, y, s, t, m, f: (side(x, y, m, f), side(s, y[: len(s)], m, f)),),
    ),
    Mistake(
        "one change for all classes",
        "Each class has its own change: entry c of moves and factors.",
        (rows(first_one, first_one),),
    ),
    Mistake(
        "synthetic images taken to be in order",
        "Which class a synthetic image has is said by synthetic_targets, in whatever order.",
        (rows(own, in_order),),
    ),
    Mistake(
        "moved to the left",
        "A positive move goes to the right: column j of the result is column j - move.",
        (both(move=lambda image, by: moved(image, -by)),),
    ),
    Mistake(
        "what falls off comes in again",
        "torch.roll brings in at one edge what fell off at the other. Black, 0, comes in.",
        (both(move=rolled),),
    ),
    Mistake(
        "moved down",
        "Images are [height, width]: to the right is along the last dimension.",
        (both(move=down),),
    ),
    Mistake(
        "not moved",
        "Each image is moved first, and then its contrast is changed.",
        (both(move=lambda image, by: image),),
    ),
    Mistake(
        "the contrast before the move",
        "The move comes first. Then what came in black has a part in the mean, and is changed, "
        "too.",
        (contrast_first,),
    ),
    Mistake(
        "the mean from before the move",
        "The mean is that of the moved image: what fell off is gone, and black has come in.",
        (about(mean_before),),
    ),
    Mistake(
        "one mean for the batch",
        "The contrast is about each image's own mean. With a mean of the batch, the other images "
        "would have a say in this one.",
        (about(mean_of_batch),),
    ),
    Mistake(
        "one mean for the class",
        "The contrast is about each image's own mean. With a mean of the class, its other images "
        "would have a say in this one.",
        (about(mean_of_class),),
    ),
    Mistake(
        "a mean for each row",
        "The mean is over the whole image, height and width: dim=(1, 2).",
        (
            both(
                contrast=lambda image, factor: torch.lerp(image.mean(1, True), image, factor),
            ),
        ),
    ),
    Mistake(
        "a mean for each column",
        "The mean is over the whole image, height and width: dim=(1, 2).",
        (
            both(
                contrast=lambda image, factor: torch.lerp(
                    image.mean(0, keepdim=True), image, factor
                ),
            ),
        ),
    ),
    Mistake(
        "multiplied without the mean",
        "Contrast is the distance from the mean: mean + factor (x - mean). Multiplied alone, the "
        "image gets brighter or darker.",
        (both(contrast=lambda image, factor: factor * image),),
    ),
    Mistake(
        "the mean not added again",
        "mean + factor (x - mean): after the product the mean comes back.",
        (both(contrast=lambda image, factor: factor * (image - image.mean())),),
    ),
    Mistake(
        "the contrast not changed",
        "After the move: mean + factor (x - mean).",
        (both(contrast=lambda image, factor: image),),
    ),
    Mistake(
        "cut off at 0 and 1",
        "Nothing is clamped: where it is, no gradient comes back.",
        (both(contrast=lambda image, factor: contrasted(image, factor).clamp(0, 1)),),
    ),
    Mistake(
        "the two in the wrong order",
        "First the real side, then the synthetic one.",
        (lambda *given: change_alike(*given)[::-1],),
    ),
    Mistake(
        "a move of 0",
        "image[:, :-0] is image[:, :0] and holds nothing. A move of 0 leaves the image where it "
        "is: image[:, :width - move] has no such gap.",
        (both(move=sliced),),
    ),
)
