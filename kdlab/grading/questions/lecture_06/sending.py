"""What co-distilling workers send."""

from torch import tensor

from kdlab.grading.questions._common import EXACT
from kdlab.grading.spec import Case, Mistake, Question


def _bytes(parameters, pixels, classes, images, workers):
    return _changed(parameters, pixels, classes, images, workers)


def _changed(parameters, pixels, classes, images, workers, **otherwise):
    others = otherwise.get("to", workers - 1)
    weight, pixel, logit = (otherwise.get(name, size) for name, size in _SIZES.items())
    return tensor(
        [others * weight * parameters, others * images * (pixel * pixels + logit * classes)]
    )


_SIZES = {"weight": 4, "pixel": 1, "logit": 4}


def _with(**otherwise):
    return lambda *given: _changed(*given, **otherwise)


def _case(name, *numbers):
    names = ("parameters", "pixels", "classes", "images", "workers")
    return Case(name, dict(zip(names, numbers, strict=True)))


def _draw(generator):
    def number(low, high):
        return int(tensor(0).random_(low, high, generator=generator))

    return tuple(
        _case(
            f"{workers} workers",
            number(10_000, 90_000),
            number(300, 900),
            number(5, 20),
            number(50, 900),
            workers,
        )
        for workers in (3, number(4, 9))
    )


BYTES_SENT = Question(
    id="KD06-E3",
    title="Weights or predictions",
    minutes=5,
    signature=(
        "bytes_sent(parameters: int, pixels: int, classes: int, images: int, workers: int) -> "
        'Int64[Tensor, "2"]'
    ),
    statement=(
        "Return what one worker sends in one exchange, in bytes: by weights, and by predictions. "
        "A weight or a logit takes four bytes, a pixel one; `images` is how many each worker "
        "learns from until the next exchange."
    ),
    reference=_bytes,
    cases=(
        _case("two workers", 44_860, 784, 10, 50, 2),
        _case("five workers, small images", 1_000, 16, 3, 200, 5),
    ),
    draw=_draw,
    comparison=EXACT,
    mistakes=(
        Mistake(
            "to one other only",
            "It sends to every other worker, to each by itself: times workers - 1.",
            (_with(to=1),),
        ),
        Mistake(
            "to itself as well",
            "There are workers - 1 others.",
            (lambda *given: _changed(*given, to=given[-1]),),
        ),
        Mistake(
            "four bytes a pixel",
            "An image is sent as it is stored: one byte a pixel.",
            (_with(pixel=4),),
        ),
        Mistake(
            "the answers are not counted",
            "It also answers what the others ask: the logits of their images, 4 bytes each.",
            (_with(logit=0),),
        ),
        Mistake(
            "the questions are not counted",
            "To be answered, it must send its images, too: one byte a pixel.",
            (_with(pixel=0),),
        ),
        Mistake(
            "numbers, not bytes",
            "A weight and a logit take four bytes each.",
            (_with(weight=1, logit=1),),
        ),
        Mistake(
            "bits, not bytes",
            "Eight bits are a byte: divide by 8.",
            (_with(weight=32, pixel=8, logit=32),),
        ),
        Mistake(
            "predictions first",
            "Both are right; by weights comes first.",
            (lambda *given: _bytes(*given).flip(0),),
        ),
    ),
)
