"""The loss of one learner among several."""

import torch
import torch.nn.functional as F
from torch import tensor

from kdlab.grading.questions._common import (
    between,
    classes,
    divergence,
    normal,
    soft_cross_entropy,
)
from kdlab.grading.spec import Case, Comparison, Mistake, Question

_LOGITS = tensor(
    [
        [[2.0, 0.0, 1.0], [0.0, 1.0, 0.0]],
        [[0.0, 3.0, 1.0], [1.0, 0.0, 2.0]],
        [[1.0, 1.0, 4.0], [0.0, 2.0, 2.0]],
        [[0.0, 0.0, 2.0], [3.0, 1.0, 0.0]],
    ]
)


def _cohort_loss(logits, targets, learner, lambda_):
    return _changed(logits, targets, learner, lambda_)


def _changed(
    logits, targets, learner, lambda_, *, kl=divergence, detach=True, labels=None, share=None
):
    """The loss; what stands after the star says what a mistake does otherwise."""
    others = [heard for number, heard in enumerate(logits) if number != learner]
    taught = sum(kl(logits[learner], heard.detach() if detach else heard) for heard in others)
    weight = lambda_ / len(others) if share is None else share(lambda_, len(others))
    own = 1 - lambda_ if labels is None else labels(lambda_)
    return own * F.cross_entropy(logits[learner], targets) + weight * taught


def _with(**changed):
    return lambda *given: _changed(*given, **changed)


def _first(logits, targets, learner, lambda_):
    return _cohort_loss(logits, targets, 0, lambda_)


def _mean_heard_first(logits, targets, learner, lambda_):
    others = [scores.detach() for number, scores in enumerate(logits) if number != learner]
    mean = torch.stack(others).softmax(dim=-1).mean(dim=0).log()
    own = logits[learner]
    return (1 - lambda_) * F.cross_entropy(own, targets) + lambda_ * divergence(own, mean)


def _case(name, logits, targets, learner, lambda_):
    given = {"logits": logits, "targets": targets, "learner": learner, "lambda_": lambda_}
    return Case(name, given)


def _draw(generator):
    def drawn(name, learners, learner):
        logits = normal(generator, learners, 5, 6)
        lambda_ = between(generator, 0.6, 0.9)
        return _case(name, logits, classes(generator, 5, of=6), learner, lambda_)

    return drawn("the last of three", 3, 2), drawn("the second of five", 5, 1)


COHORT = Question(
    id="KD06-E1",
    title="One learner among several",
    minutes=10,
    signature=(
        'cohort_loss(logits: Float[Tensor, "learners batch classes"], '
        'targets: Int64[Tensor, "batch"], learner: int, lambda_: float) -> Float[Tensor, ""]'
    ),
    statement=(
        "Return the loss of one learner, T = 1: (1 - lambda) times its cross-entropy, and lambda "
        "times the mean over the others of KL(other || learner), both as means over the batch. "
        "Gradients flow to this learner's logits only."
    ),
    reference=_cohort_loss,
    cases=(
        _case("the second of four", _LOGITS, tensor([0, 2]), 1, 0.6),
        _case("the last of three", _LOGITS[:3], tensor([1, 1]), 2, 0.75),
    ),
    draw=_draw,
    comparison=Comparison(
        rtol=1e-4,
        atol=1e-5,
        reason="float32 keeps 7 digits; a few operations in another order cost one or two",
        gradient_of=("logits",),
    ),
    mistakes=(
        Mistake(
            "the others are not detached",
            "The value is right, but the KL also has a gradient for those who are heard. To the "
            "one who learns they are constants: use .detach().",
            (_with(detach=False),),
        ),
        Mistake(
            "a sum over the others",
            "Divide by the number of others, one less than there are learners; otherwise the "
            "labels are drowned as the cohort grows.",
            (_with(share=lambda weight, others: weight),),
        ),
        Mistake(
            "divided by all learners",
            "The learner doesn't hear itself: the mean is over the others, one fewer.",
            (_with(share=lambda weight, others: weight / (others + 1)),),
        ),
        Mistake(
            "KL the wrong way round",
            "The term is KL(other || learner): the other's probabilities weigh the sum. "
            "F.kl_div takes the learner's log-probabilities first.",
            (_with(kl=lambda own, heard: divergence(heard, own)),),
        ),
        Mistake(
            "the labels' weight is 1",
            "Zhang et al. add both terms as they are. Here labels weigh 1 - lambda, the others "
            "together lambda.",
            (
                _with(labels=lambda weight: 1),
                _with(labels=lambda weight: 1, share=lambda weight, others: 1 / others),
            ),
        ),
        Mistake(
            "lambda and 1 - lambda exchanged",
            "lambda is the weight of the others together, and 1 - lambda that of the labels.",
            (
                _with(
                    labels=lambda weight: weight,
                    share=lambda weight, others: (1 - weight) / others,
                ),
            ),
        ),
        Mistake(
            "one KL to the mean of the others",
            "Here the others' probabilities were averaged first. The loss is a mean of KLs; it "
            "has the same gradient and another value, larger by how far the others disagree.",
            (_mean_heard_first,),
        ),
        Mistake(
            "cross-entropy with soft targets",
            "The gradient is right; the value is too large by the others' entropy. Wanted is "
            "KL(other || learner): F.kl_div, or subtract the entropy.",
            (_with(kl=soft_cross_entropy),),
        ),
        Mistake(
            "a mean over the classes, too",
            'The KL is a sum over classes and a mean over examples: reduction="batchmean".',
            (_with(kl=lambda own, heard: divergence(own, heard, reduction="none").mean()),),
        ),
        Mistake(
            "always the first learner",
            "This is learner 0's loss; `learner` says whose is wanted.",
            (_first,),
        ),
    ),
)
