"""Data sets as tensors in memory, and batches of them.

Images stay uint8, [examples, channels, height, width]; a batch is turned into floats in
[0, 1] when it is drawn. Texts become numbers of words, or counts. `load` finds or fetches a
set; it alone touches the network.
"""

from kdlab.data.batches import (
    Batch,
    Batches,
    count_places,
    move_images,
    shift_images,
    to_float,
)
from kdlab.data.dataset import Dataset
from kdlab.data.loading import load
from kdlab.data.places import DataDamaged, DataUnavailable
from kdlab.data.texts import Documents, load_texts, prepare
from kdlab.data.words import Vocabulary, hash_ngrams, words_of

__all__ = [
    "Batch",
    "Batches",
    "DataDamaged",
    "DataUnavailable",
    "Dataset",
    "Documents",
    "Vocabulary",
    "count_places",
    "hash_ngrams",
    "load",
    "load_texts",
    "move_images",
    "prepare",
    "shift_images",
    "to_float",
    "words_of",
]
