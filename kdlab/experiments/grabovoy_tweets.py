"""Tweets: a bidirectional LSTM teaches linear students on frozen features.

The authors train on 1.18 million tweets, test on 350,000 labelled by their emoticons, and their
student is linear on BERT's 768 features. Here are 20,000 tweets, no downloaded weights, and two
students: on 768 hashed n-grams, which has their 1,538 numbers, and on the mean of the teacher's
word embeddings. Both are fitted to the end. T and lambda are those of the authors' FashionMNIST;
those of the tweets aren't printed.

The test is what people labelled by hand, 359 tweets; beside it stand 5,000 more that, as those we
train on, were labelled by emoticons. They aren't drawn at random from all tweets: the month's
topics give a part of their labels away.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdlab import schemes
from kdlab.data import Batches, Documents, Vocabulary, hash_ngrams, load_texts
from kdlab.experiments.spec import Experiment, Row
from kdlab.experiments.trials import Trial, finished
from kdlab.metrics import accuracy
from kdlab.models import BiLstm, bi_lstm, mlp
from kdlab.privileged import distill_generalized, fit
from kdlab.schemes.history import Progress

SOURCE = "Grabovoy, Privileged information and distillation, slides, the tweets"
TEMPERATURE, LAMBDA = 2.0, 0.25
TESTS = {"hand": "labelled by hand", "emoticons": "labelled by emoticons"}
TEXTS = {
    "teacher": "the teacher",
    "hashed-alone": "768 hashed n-grams, without teacher",
    "hashed-taught": "768 hashed n-grams, with teacher",
    "embedded-alone": "mean embeddings, without teacher",
    "embedded-taught": "mean embeddings, with teacher",
}
MEASURES = ("cross-entropy", "accuracy")
#: On the authors' test: cross-entropy and accuracy.
PUBLISHED = {
    "teacher": (None, 0.835),
    "hashed-alone": (0.501, 0.747),
    "hashed-taught": (0.489, 0.764),
}

#: Of each part, [documents, ...]: training texts first, then those of each of `TESTS`.
Parts = list[Tensor]


@dataclass(frozen=True)
class Tweets:
    """A teacher and two students of it, each with and without it.

    Attributes:
        train, test: Tweets labelled by emoticons, drawn by the seed.
        epochs: Of the teacher.
        steps: L-BFGS of a student stops after so many at the latest.
    """

    train: int = 20_000
    test: int = 5_000
    epochs: int = 3
    steps: int = 200

    numbers: ClassVar[tuple[str, ...]] = tuple(
        f"{test}-{who}-{what}" for test in TESTS for who in TEXTS for what in MEASURES
    )
    curves: ClassVar[tuple[str, ...]] = ()

    def __call__(self, seed: int, dataset: None, progress: Progress) -> dict:
        """Return test cross-entropies in nats and accuracies."""
        train, held = load_texts("sentiment140").split(train=self.train, test=self.test, seed=seed)
        parts = [train, load_texts("sentiment140-manual"), held]
        targets = [part.targets for part in parts]
        encoded = _encoded(parts)
        teacher = _teach(encoded[0], targets[0], self.epochs, seed, progress)
        answers = [schemes.predict(teacher, part) for part in encoded]
        said = {"teacher": answers[1:]}
        features = {"hashed": [hash_ngrams(part.texts) for part in parts]}
        features |= {"embedded": [schemes.predict(_Embedded(teacher), part) for part in encoded]}
        for name, values in features.items():
            said[f"{name}-alone"] = self._student(values, targets[0], None)
            said[f"{name}-taught"] = self._student(values, targets[0], answers[0])
        return _judge(said, targets[1:])

    def small(self) -> "Tweets":
        """Return one of a few texts and an epoch."""
        return replace(self, train=200, test=50, epochs=1, steps=5)

    def _student(self, features: Parts, targets: Tensor, teacher: Tensor | None) -> Parts:
        """Fit a linear student; return its logits on the tests."""
        model = mlp((features[0].shape[1], 2))
        if teacher is None:
            fit(model, features[0], targets, steps=self.steps)
        else:
            weights = {"lambda_": LAMBDA, "temperature": TEMPERATURE, "steps": self.steps}
            distill_generalized(model, features[0], teacher, targets, **weights)
        return [schemes.predict(model, part) for part in features[1:]]


def _encoded(parts: Sequence[Documents]) -> Parts:
    vocabulary = Vocabulary(parts[0].texts)
    return [vocabulary.encode(part.texts) for part in parts]


def _teach(words: Tensor, targets: Tensor, epochs: int, seed: int, progress: Progress) -> BiLstm:
    teacher = bi_lstm(10_000, dropout=0.3, seed=seed)
    batches = Batches(words, targets, batch_size=64, seed=seed)
    optimizer = torch.optim.Adam(teacher.parameters())
    rest = {"epochs": epochs, "seed": seed, "progress": progress}
    finished(schemes.train(teacher, batches, optimizer, **rest))
    return teacher


class _Embedded(nn.Module):
    """The mean embedding of a text's words, by its teacher."""

    def __init__(self, teacher: BiLstm) -> None:
        super().__init__()
        self.teacher = teacher

    def forward(self, words: Tensor) -> Tensor:
        return self.teacher.features(words)["words"]


def _judge(said: dict[str, Parts], targets: Parts) -> dict[str, float]:
    found = {}
    for number, test in enumerate(TESTS):
        for who, answers in said.items():
            logits, right = answers[number], targets[number]
            found[f"{test}-{who}-cross-entropy"] = F.cross_entropy(logits, right).item()
            found[f"{test}-{who}-accuracy"] = accuracy(logits, right)
    return found


def _rows() -> tuple[Row, ...]:
    rows = []
    for test, title in TESTS.items():
        for who, text in TEXTS.items():
            published = PUBLISHED.get(who, (None, None)) if test == "emoticons" else (None, None)
            for what, value in zip(MEASURES, published, strict=True):
                said = {"published": value, "source": SOURCE if value else ""}
                number = f"{test}-{who}-{what}"
                rows.append(Row(number, "tweets", f"{title}, {text}: {what}", number, **said))
    return tuple(rows)


EXPERIMENT = Experiment(
    name="grabovoy-tweets",
    measures="What does a linear student of tweets gain by a bidirectional LSTM?",
    paper=SOURCE,
    dataset=None,
    units=(Trial("tweets", Tweets(), seconds=60.0),),
    rows=_rows(),
    counted="cross-entropies in nats and accuracies as shares of test tweets",
    digits=3,
)
