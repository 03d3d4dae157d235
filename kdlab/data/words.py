"""Texts as tensors: numbers of words in order, or hashed n-grams counted."""

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from kdlab._checks import check_count, check_length
from kdlab.data.texts import prepare

#: Numbers that stand for no word: what fills a short text, and a word that isn't known.
PADDING, UNKNOWN = 0, 1
_WORD = re.compile(r"\w+(?:'\w+)*|[^\w\s]")


def words_of(text: str) -> list[str]:
    """Return a text's words and signs in order, prepared (lower case, name, number)."""
    return _WORD.findall(prepare(text))


class Vocabulary:
    """The commonest words of the training texts, numbered from 2; 0 is padding, 1 unknown."""

    def __init__(self, texts: Iterable[str], *, size: int = 10_000) -> None:
        """Count the words of the texts and keep the commonest.

        Args:
            texts: Training texts; a test's words must stay unknown.
            size: Numbers in all, padding and unknown included, at least 3. There are fewer
                where the texts have fewer words.

        Raises:
            ValueError: size is no whole number >= 3.
        """
        check_count(3, size=size)
        counts = Counter(word for text in texts for word in words_of(text))
        # Ties go by the alphabet, so that the numbers don't depend on the texts' order.
        commonest = sorted(counts, key=lambda word: (-counts[word], word))[: size - 2]
        self._numbers = {word: i for i, word in enumerate(commonest, start=2)}

    def __len__(self) -> int:
        return len(self._numbers) + 2

    def encode(
        self, texts: Sequence[str], *, length: int = 40
    ) -> Int64[Tensor, "documents length"]:
        """Return the numbers of each text's first words, filled up with padding at the end.

        Raises:
            ValueError: texts is empty, or length is no positive whole number.
        """
        check_count(length=length)
        check_length(1, texts=texts)
        encoded = torch.full((len(texts), length), PADDING)
        for row, text in zip(encoded, texts, strict=True):
            numbers = [self._numbers.get(word, UNKNOWN) for word in words_of(text)[:length]]
            row[: len(numbers)] = torch.tensor(numbers, dtype=torch.int64)
        return encoded


def hash_ngrams(
    texts: Sequence[str], *, buckets: int = 768, longest: int = 2
) -> Float[Tensor, "documents buckets"]:
    """Count hashed words and word sequences: features that nobody trained and nobody stores.

    Each n-gram adds +1 or -1 to one of the buckets, both by its CRC-32, so that collisions
    cancel on average; every row is then scaled to length 1. A linear student on 768 of them
    has 1,538 numbers to learn, as the lecture's student on BERT's 768 features has.

    Args:
        texts: At least one.
        buckets: Features of a text.
        longest: n-grams of 1 to so many words.

    Returns:
        float32, one row a text; zeros for one without words.

    Raises:
        ValueError: texts is empty, or a count is no positive whole number.

    References:
        Weinberger et al. 2009, arXiv:0902.2206.
    """
    check_count(buckets=buckets, longest=longest)
    check_length(1, texts=texts)
    counts = torch.zeros(len(texts), buckets)
    for row, text in zip(counts, texts, strict=True):
        hashes = torch.tensor(list(_hashes(words_of(text), longest)), dtype=torch.int64)
        # The lowest bit is the sign, the others choose the bucket.
        signs = (hashes % 2 * 2 - 1).float()
        row.index_add_(0, hashes // 2 % buckets, signs)
    return torch.nn.functional.normalize(counts, dim=1)


def _hashes(words: list[str], longest: int) -> Iterable[int]:
    for n in range(1, longest + 1):
        for start in range(len(words) - n + 1):
            yield zlib.crc32(" ".join(words[start : start + n]).encode())
