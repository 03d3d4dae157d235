"""Texts as numbers of words and as hashed counts, against plain loops."""

import math
import zlib

import pytest
import torch
from _refusals import check_refused

from kdlab.data import Vocabulary, hash_ngrams, words_of

TEXTS = ("Good good day, @ann!", "bad day 24", "don't, don't 7", "")


def test_words_are_prepared_words_and_signs():
    assert words_of(TEXTS[0]) == ["good", "good", "day", ",", "name", "!"]
    assert words_of("don't :) it's l8r") == ["don't", ":", ")", "it's", "l", "number", "r"]
    assert words_of(" ") == []


def test_the_commonest_words_come_first_and_ties_go_by_the_alphabet():
    vocabulary = Vocabulary(TEXTS, size=6)
    assert len(vocabulary) == 6
    # ",", day, don't, good and number stand twice each; four of them fit.
    assert vocabulary.encode([", day don't good number bad"], length=6).tolist() == [
        [2, 3, 4, 5, 1, 1]
    ]
    again = Vocabulary(reversed(TEXTS), size=6)
    assert torch.equal(again.encode(TEXTS), vocabulary.encode(TEXTS))


def test_texts_are_cut_and_filled_up_at_the_end():
    vocabulary = Vocabulary(TEXTS)
    encoded = vocabulary.encode([*TEXTS, "what ?"], length=4)
    assert encoded.dtype == torch.int64
    assert encoded.shape == (5, 4)
    assert [(row == 0).sum().item() for row in encoded] == [0, 1, 0, 4, 2]
    assert encoded[4].tolist() == [1, 1, 0, 0]
    assert encoded[0, 0] == encoded[0, 1] != encoded[0, 2] == encoded[1, 1]
    assert int(encoded.max()) < len(vocabulary) == 10


def looped(text, buckets, longest):
    row, words = [0.0] * buckets, words_of(text)
    for n in range(1, longest + 1):
        for start in range(len(words) - n + 1):
            code = zlib.crc32(" ".join(words[start : start + n]).encode("utf-8"))
            row[(code >> 1) % buckets] += 1 if code & 1 else -1
    norm = math.sqrt(sum(value**2 for value in row))
    return [value / norm if norm else 0.0 for value in row]


@pytest.mark.parametrize("longest", [1, 2, 3])
@pytest.mark.parametrize("buckets", [1, 7, 768])
def test_ngrams_are_counted_in_their_buckets(buckets, longest):
    found = hash_ngrams(TEXTS, buckets=buckets, longest=longest)
    expected = torch.tensor([looped(text, buckets, longest) for text in TEXTS])
    torch.testing.assert_close(found, expected)


def test_features_are_the_same_everywhere():
    """By the CRC-32 of "a", as it is published; Python's own hash differs from run to run."""
    assert hash_ngrams(["a"]).nonzero().tolist() == [[0, (0xE8B7BE43 >> 1) % 768]]


def test_two_word_sequences_tell_orders_apart():
    one, other = hash_ngrams(["not good", "good not"], longest=2)
    assert not torch.equal(one, other)
    one, other = hash_ngrams(["not good", "good not"], longest=1)
    assert torch.equal(one, other)


def test_what_is_refused():
    message = "size must be a whole number >= 3, got 2"
    check_refused(lambda: Vocabulary(TEXTS, size=2), message)
    vocabulary = Vocabulary(TEXTS)
    message = "length must be a whole number >= 1, got 0"
    check_refused(lambda: vocabulary.encode(TEXTS, length=0), message)
    check_refused(lambda: vocabulary.encode([]), "texts must have length >= 1, got []")
    check_refused(lambda: hash_ngrams([]), "texts must have length >= 1, got []")
    for name in ("buckets", "longest"):
        message = f"{name} must be a whole number >= 1, got 0"
        check_refused(lambda name=name: hash_ngrams(TEXTS, **{name: 0}), message)
