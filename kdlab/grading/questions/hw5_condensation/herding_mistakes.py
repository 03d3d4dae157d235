"""Wrong rules to choose by, for question 3 of homework 5.

Variants are called with x (embeddings) and taken (indices of those chosen so far).
"""

import torch

from kdlab.grading.spec import Mistake


def _far(x, taken, scale=None):
    """Return how far the mean would be from that of all, for each that comes next."""
    count = len(taken) + 1 if scale is None else scale
    return (x.mean(dim=0) - (x[taken].sum(dim=0) + x) / count).square().sum(dim=1).sqrt()


def _free(far, taken, away=torch.inf):
    """Mark what is taken, so that it isn't chosen again."""
    marked = far.clone()
    marked[taken] = away
    return marked


def left_over(x, taken):
    """Return the distance that each leaves which can still be chosen; infinite for the others."""
    return _free(_far(x, taken), taken)


def herding_step(embeddings, chosen):
    """Return the index of the next one, and how far the means are apart then."""
    far = left_over(embeddings, chosen)
    return int(far.argmin()), float(far.min())


def _least(far, real=False):
    """Return the index of the least of other numbers, and that number or the distance left."""

    def step(x, taken):
        found = _free(far(x, taken), taken)
        at = int(found.argmin())
        return at, float(_far(x, taken)[at] if real else found[at])

    return step


def _to_mean(x, taken):
    return (x - x.mean(dim=0)).norm(dim=1)


def _to_rest(x, taken):
    """Aim at the mean of those that aren't taken."""
    keep = torch.ones(len(x), dtype=torch.bool)
    keep[taken] = False
    total = x[taken].sum(dim=0)
    return (x[keep].mean(dim=0) - (x + total) / (len(taken) + 1)).norm(dim=1)


def _along(x, taken):
    """Choose the one that points most along what is missing, as kernel herding does."""
    missing = (len(taken) + 1) * x.mean(dim=0) - x[taken].sum(dim=0)
    return -x @ missing


def _of_means(x, taken):
    """Give the new one as much weight as all before it."""
    old = x[taken].mean(dim=0)
    return (x.mean(dim=0) - (old + x) / 2).norm(dim=1)


def _by_mean(x, taken):
    """Right but for the mean of nothing."""
    k = len(taken)
    old = x[taken].mean(dim=0)
    return (x.mean(dim=0) - (k * old + x) / (k + 1)).norm(dim=1)


def _to_last(x, taken):
    return (x - x[taken[-1]]).norm(dim=1)


def _squared(x, taken):
    at, far = herding_step(x, taken)
    return at, far**2


def _sums(x, taken):
    at, far = herding_step(x, taken)
    return at, far * (len(taken) + 1)


def _again(x, taken):
    far = _far(x, taken)
    return int(far.argmin()), float(far.min())


def _farthest(x, taken):
    far = _free(_far(x, taken), taken, away=-1)
    return int(far.argmax()), float(far.max())


def _k_center(x, taken):
    apart = torch.stack([(x - x[i]).norm(dim=1) for i in taken]).min(dim=0).values
    return int(apart.argmax()), float(apart.max())


def _in_rest(x, taken):
    at, far = herding_step(x, taken)
    return at - int((taken < at).sum()), far


def _swapped(x, taken):
    return herding_step(x, taken)[::-1]


MISTAKES = (
    Mistake(
        "those chosen before forgotten",
        "This is the one nearest to the mean. What counts is the mean of all that are chosen then, "
        "those before included.",
        (_least(_to_mean), _least(_to_mean, real=True)),
    ),
    Mistake(
        "the largest product with what is missing",
        "That is kernel herding, for embeddings of equal length. Here lengths differ: compare the "
        "distances of the means.",
        (_least(_along, real=True), _least(_along)),
    ),
    Mistake(
        "chosen a second time",
        "An example that is in the coreset already can't be taken again.",
        (_again,),
    ),
    Mistake(
        "divided by one too few",
        "With the new one there are len(chosen) + 1, and the sum is divided by that.",
        (_least(lambda x, taken: _far(x, taken, scale=max(len(taken), 1))),),
    ),
    Mistake(
        "a sum instead of a mean",
        "The sum of the chosen is divided by their number before it is compared with the mean.",
        (_least(lambda x, taken: _far(x, taken, scale=1)),),
    ),
    Mistake(
        "divided by all examples",
        "The mean is over the chosen: divide by their number, len(chosen) + 1.",
        (_least(lambda x, taken: _far(x, taken, scale=len(x))),),
    ),
    Mistake(
        "the mean of two means",
        "The new one has the weight 1 / (len(chosen) + 1), as each of those before it.",
        (_least(_of_means),),
    ),
    Mistake(
        "the mean of those left",
        "The mean to be followed is that of all examples, chosen or not.",
        (_least(_to_rest),),
    ),
    Mistake(
        "the farthest",
        "Take the one that leaves the least distance: argmin.",
        (_farthest,),
    ),
    Mistake(
        "k-center",
        "This is the one farthest from all chosen, which is another coreset: k-center. Herding "
        "follows the mean.",
        (_k_center,),
    ),
    Mistake(
        "nearest to the last one",
        "What counts is how far the mean of the chosen is from the mean of all.",
        (_least(_to_last),),
    ),
    Mistake(
        "the distance squared",
        "The example is right. Asked for beside it is the distance, the root of the sum of "
        "squares.",
        (_squared,),
    ),
    Mistake(
        "the distance of the sums",
        "The example is right. The distance asked for is that of the means: divide by "
        "len(chosen) + 1.",
        (_sums,),
    ),
    Mistake(
        "counted among those left",
        "The index is one of `embeddings`. Where the chosen are taken out first, it moves.",
        (_in_rest,),
    ),
    Mistake(
        "the two in the wrong order",
        "First the index, then the distance.",
        (_swapped,),
    ),
    Mistake(
        "the mean of nothing",
        "With nothing chosen yet, x[chosen].mean(dim=0) is 0 divided by 0. A sum of nothing is 0.",
        (
            lambda x, taken: (
                int(_free(_by_mean(x, taken), taken).argmin()),
                float(_free(_by_mean(x, taken), taken).min()),
            ),
        ),
    ),
)

# Those that choose otherwise; first those that seldom take another example than the right one.
RULES = (_in_rest, _again, *(m.variants[0] for m in MISTAKES[:8] if _again not in m.variants))
