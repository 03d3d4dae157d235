"""Known mistakes of question 6 of homework 4.

Variants are called with v (the teacher's logits), y (classes), k (known), w (lambda) and t
(temperature); what they build on reads no logits where the answer isn't known.
"""

import torch
import torch.nn.functional as F

from kdlab.grading.spec import Mistake


def _hard(v, y):
    return F.one_hot(y, v.shape[1]).to(v)


def _soft(v, k, t):
    return (v.masked_fill(~k[:, None], 0.0) / t).softmax(dim=1)


def _mixed(hard, soft, k, label, answer):
    """Return so much of both where the answer is known, and the label elsewhere."""
    return torch.where(k[:, None], label * hard + answer * soft, hard)


def generalized_targets(teacher_logits, targets, known, lambda_, temperature):
    """Return one row of probabilities an example, [batch, classes]."""
    soft = _soft(teacher_logits, known, temperature)
    return _mixed(_hard(teacher_logits, targets), soft, known, 1 - lambda_, lambda_)


def _taught(soft):
    """Return the targets where the teacher says something else."""
    return lambda v, y, k, w, t: _mixed(_hard(v, y), soft(v, k, t), k, 1 - w, w)


def _weighed(weights):
    """Return the targets where label and answer have other weights, from lambda and T."""
    return lambda v, y, k, w, t: _mixed(_hard(v, y), _soft(v, k, t), k, *weights(w, t))


def _labelled(hard):
    """Return the targets where the labels are something else, where known or everywhere."""
    return (
        lambda v, y, k, w, t: _mixed(hard(_hard(v, y), t), _soft(v, k, t), k, 1 - w, w),
        lambda v, y, k, w, t: torch.where(
            k[:, None],
            (1 - w) * hard(_hard(v, y), t) + w * _soft(v, k, t),
            _hard(v, y),
        ),
    )


def _plain(v, t):
    return (v / t).softmax(dim=1)


def _everywhere(v, y, k, w, t):
    return (1 - w) * _hard(v, y) + w * _plain(v, t)


def _light(v, y, k, w, t):
    soft = _soft(v, k, t) * k[:, None]
    return (1 - w) * _hard(v, y) + w * soft


def _overwritten(v, y, k, w, t):
    rows = (w * _soft(v, k, t)).scatter(1, y[:, None], 1 - w)
    return torch.where(k[:, None], rows, _hard(v, y))


def _mixed_logits(v, y, k, w, t):
    mixed = ((1 - w) * _hard(v, y) + w * v) / t
    return torch.where(k[:, None], mixed.softmax(dim=1), _hard(v, y))


def _powers(v, k, t):
    powers = (v / t).exp()
    return powers / powers.sum(dim=1, keepdim=True)


def _times_known(v, y, k, w, t):
    share = w * k[:, None]
    return (1 - share) * _hard(v, y) + share * _plain(v, t)


MISTAKES = (
    Mistake(
        "T forgotten",
        "The teacher's logits are divided by T before the softmax.",
        (_taught(lambda v, k, t: _soft(v, k, 1.0)),),
    ),
    Mistake(
        "T on the wrong side",
        "Softer is flatter: logits are divided by T, not multiplied.",
        (_taught(lambda v, k, t: _soft(v, k, 1 / t)),),
    ),
    Mistake(
        "T behind the softmax",
        "Logits are divided by T, and the softmax comes after it. Probabilities divided by T "
        "don't sum to 1.",
        (
            _taught(lambda v, k, t: _soft(v, k, 1.0) / t),
            _taught(lambda v, k, t: (_soft(v, k, 1.0) / t).softmax(dim=1)),
        ),
    ),
    Mistake(
        "T on the labels",
        "Only the teacher is softened; a label is hard.",
        _labelled(lambda hard, t: (hard / t).softmax(dim=1)) + _labelled(lambda hard, t: hard / t),
    ),
    Mistake(
        "a factor T^2",
        "T^2 makes up for gradients through a student that is softened as well. Here the student "
        "is left at T = 1, and what it learns from sums to 1.",
        (
            _weighed(lambda w, t: (1 - w, w * t**2)),
            _weighed(lambda w, t: (1 - w, w / t**2)),
        ),
    ),
    Mistake(
        "lambda and 1 - lambda exchanged",
        "lambda is the weight of the teacher, 1 - lambda that of the label.",
        (_weighed(lambda w, t: (w, 1 - w)),),
    ),
    Mistake(
        "1 - lambda is missing",
        "Where the teacher is known, the label has the weight 1 - lambda: the row sums to 1.",
        (_weighed(lambda w, t: (1, w)),),
    ),
    Mistake(
        "lambda is missing",
        "The teacher has the weight lambda: the row sums to 1.",
        (_weighed(lambda w, t: (1 - w, 1)), _weighed(lambda w, t: (1, 1))),
    ),
    Mistake(
        "the teacher used where it isn't known",
        "Where `known` is False there is no answer: the label counts in full.",
        (_everywhere,),
    ),
    Mistake(
        "1 - lambda where no teacher is known",
        "Without a teacher the label counts in full: its row is 0 and 1.",
        (_light,),
    ),
    Mistake(
        "known and unknown exchanged",
        "The teacher is heard where `known` is True.",
        (lambda v, y, k, w, t: generalized_targets(v, y, ~k, w, t),),
    ),
    Mistake(
        "the teacher alone",
        "Where the teacher is known, the label is still heard, with the weight 1 - lambda.",
        (_weighed(lambda w, t: (0, 1)),),
    ),
    Mistake(
        "the labels alone",
        "Where the teacher is known, it is heard with the weight lambda.",
        (_weighed(lambda w, t: (1, 0)),),
    ),
    Mistake(
        "a hard teacher",
        "The teacher's probabilities are mixed in, and not only its likeliest class.",
        (_taught(lambda v, k, t: _hard(v, v.argmax(dim=1))),),
    ),
    Mistake(
        "softmax along the wrong axis",
        "The softmax runs over the classes of one example: dim=1.",
        (
            _taught(lambda v, k, t: (v / t).softmax(dim=0)),
            _taught(lambda v, k, t: (v.masked_fill(~k[:, None], 0.0) / t).softmax(dim=0)),
        ),
    ),
    Mistake(
        "mixed before the softmax",
        "Probabilities are mixed: softmax first, then the label's share and the teacher's.",
        (_mixed_logits,),
    ),
    Mistake(
        "no softmax",
        "Logits are no probabilities: the softmax of v / T is mixed in.",
        (
            _taught(lambda v, k, t: v / t),
            _taught(lambda v, k, t: (v / t).log_softmax(dim=1)),
        ),
    ),
    Mistake(
        "a sigmoid for each class",
        "The classes exclude each other: softmax over all of them.",
        (_taught(lambda v, k, t: (v / t).sigmoid()),),
    ),
    Mistake(
        "the teacher's share of the right class overwritten",
        "The label's share is added to what the teacher gives to that class.",
        (_overwritten,),
    ),
    Mistake(
        "0 times NaN",
        "An unknown answer has the weight 0, but 0 times NaN is NaN. Choose rows with torch.where, "
        "or compute those that are known.",
        (_times_known,),
    ),
    Mistake(
        "exp overflows",
        "exp of a large logit is infinite, and infinity over infinity NaN. softmax subtracts the "
        "largest logit first.",
        (_taught(_powers),),
    ),
)
