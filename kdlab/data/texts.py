"""Short texts with their sentiment, from KDLAB_DATA or the user's cache; never fetched."""

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Int64
from torch import Tensor

from kdlab._checks import check_choice, check_count
from kdlab.data.places import DataDamaged, not_at_hand, places

#: Where each set lies below KDLAB_DATA or the cache.
FILES = {
    "sentiment140": "text/sentiment140-100k.tsv.gz",
    "sentiment140-manual": "text/sentiment140-manual-test.tsv.gz",
    "tweet-sentiment": "text/tweet-sentiment-train.tsv.gz",
    "tweet-sentiment-test": "text/tweet-sentiment-test.tsv.gz",
    "sentence-polarity": "text/rt-polarity.tsv.gz",
}
LABELS = ("negative", "neutral", "positive")
_NAME = re.compile(r"(?<!\w)@\w+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True, eq=False)
class Documents:
    """Texts with their classes.

    Attributes:
        name: The set's name.
        source: Where it came from, for a caption; never a path.
        texts: As they were written.
        targets: int64, [documents].
        class_names: One name a class.
    """

    name: str
    source: str
    texts: tuple[str, ...]
    targets: Int64[Tensor, "documents"]
    class_names: tuple[str, ...]

    def __repr__(self) -> str:
        return f"{self.name}: {len(self)} texts of {len(self.class_names)} classes, {self.source}"

    def __len__(self) -> int:
        return len(self.texts)

    def split(
        self, *, train: int | None = None, test: int, seed: int = 0
    ) -> tuple["Documents", "Documents"]:
        """Shuffle by a seed, then return two parts that have no text in common.

        The files are sorted by class and time, so an unshuffled part would tell nothing of the
        rest. Texts that are equal once prepared count once (the first one is kept): copies of
        one text on both sides would be learnt by heart.

        Args:
            train: How many texts the first part has; None is all that the second leaves.
            test: How many the second part has.
            seed: The same seed gives the same parts.

        Raises:
            ValueError: A count is no whole number >= 1, both together are more than there are
                different texts, or the seed is no whole number >= 0.
        """
        check_count(0, seed=seed)
        check_count(test=test, train=1 if train is None else train)
        first = _first_of_each(self.texts)
        train = len(first) - test if train is None else train
        if train < 1 or train + test > len(first):
            came = f"train {train} and test {test}"
            raise ValueError(f"train + test must be at most {len(first)}, got {came}")
        order = torch.randperm(len(first), generator=torch.Generator().manual_seed(seed))
        chosen = torch.tensor(first)[order]
        return self._chosen(chosen[test : test + train]), self._chosen(chosen[:test])

    def _chosen(self, which: Tensor) -> "Documents":
        texts = tuple(self.texts[i] for i in which.tolist())
        return Documents(self.name, self.source, texts, self.targets[which], self.class_names)


def load_texts(name: str, *, classes: tuple[str, ...] = ("negative", "positive")) -> Documents:
    """Load labelled texts: gzipped UTF-8 lines ``label<TAB>text``.

    We look under KDLAB_DATA, then in the user's cache (KDLAB_CACHE overrides its place). The
    network is never asked: no set has a licence that would let us point at a copy.

    Args:
        name: "sentiment140" (100,000 tweets, labelled by their emoticons),
            "sentiment140-manual" (359 tweets, labelled by hand), "tweet-sentiment" and
            "tweet-sentiment-test" (with neutral ones too), or "sentence-polarity" (10,662
            sentences of film reviews).
        classes: Which labels are kept, in the order of their class numbers.

    Raises:
        ValueError: The name or a class is unknown, a class stands twice, or KDLAB_DATA is no
            folder.
        DataDamaged: The file is there but is no whole file of such lines; it is named.
        DataUnavailable: The file is not at hand.
    """
    check_choice(tuple(FILES), name=name)
    for label in classes:
        check_choice(LABELS, classes=label)
    if len(set(classes)) < len(classes) or not classes:
        raise ValueError(f"classes must be different labels, at least one, got {classes!r}")
    file, source = _find(name)
    rows = [(text, classes.index(label)) for label, text in _lines(file) if label in classes]
    targets = torch.tensor([target for _, target in rows], dtype=torch.int64)
    return Documents(name, source, tuple(text for text, _ in rows), targets, tuple(classes))


def prepare(text: str) -> str:
    """Prepare a tweet as the lecture does: lower case, @names as "name", digits as "number".

    A number with points or commas inside, such as 1,000.5, is one number. Blanks in a row
    become one.

    References:
        Grabovoy, "Privileged information and distillation", the tweets' preprocessing.
    """
    named = _NAME.sub(" name ", text.lower())
    return " ".join(_NUMBER.sub(" number ", named).split())


def _first_of_each(texts: tuple[str, ...]) -> list[int]:
    first: dict[str, int] = {}
    for i, text in enumerate(texts):
        first.setdefault(prepare(text), i)
    return list(first.values())


def _find(name: str) -> tuple[Path, str]:
    for root, source in places():
        if (root / FILES[name]).is_file():
            return root / FILES[name], source
    raise not_at_hand(name, FILES[name], "these texts are never fetched")


def _lines(file: Path) -> Iterator[tuple[str, str]]:
    try:
        with gzip.open(file, "rt", encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(lines, start=1):
                label, tab, text = line.rstrip("\n").partition("\t")
                if not tab or label not in LABELS:
                    trouble = f"line {number} is no label, tab and text"
                    raise DataDamaged(file, trouble, fetched=False)
                yield label, text
    except (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError) as error:
        trouble = f"it can't be read to its end ({error})"
        raise DataDamaged(file, trouble, fetched=False) from error
