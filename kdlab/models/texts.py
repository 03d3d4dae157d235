"""A network that reads texts word by word in both directions: a teacher of small students."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from kdlab._checks import check_count, check_drop_rate
from kdlab.models.parts import Dropout, seeded


class BiLstm(nn.Module):
    """Word embeddings, one LSTM in each direction, the largest value over words, a linear layer.

    `forward(numbers)` returns the logits; `features(numbers)` returns a dict of maps: "words",
    the mean embedding of a text's words; "pooled", what both directions found; "logits".
    Padding, the number 0 at the end, is read by nothing.
    """

    def __init__(self, words: int, width: int, hidden: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, width, padding_idx=0)
        self.lstm = nn.LSTM(width, hidden, batch_first=True, bidirectional=True)
        self.dropout = Dropout(dropout)
        self.logits = nn.Linear(2 * hidden, classes)

    def features(self, numbers: Int64[Tensor, "batch length"]) -> dict[str, Tensor]:
        """Return the maps by name, in order, ending in "logits"."""
        # A text without words is read as one padding: an LSTM must read something.
        lengths = (numbers != 0).sum(dim=1).clamp(min=1)
        embedded = self.embedding(numbers)
        pooled = self._read(self.dropout(embedded), lengths)
        return {
            "words": embedded.sum(dim=1) / lengths[:, None],
            "pooled": pooled,
            "logits": self.logits(self.dropout(pooled)),
        }

    def forward(self, numbers: Int64[Tensor, "batch length"]) -> Float[Tensor, "batch classes"]:
        return self.features(numbers)["logits"]

    def _read(self, embedded: Tensor, lengths: Tensor) -> Float[Tensor, "batch found"]:
        packed = pack_padded_sequence(
            embedded, lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        lowest = -torch.inf
        states, _ = pad_packed_sequence(
            self.lstm(packed)[0], batch_first=True, padding_value=lowest
        )
        return states.amax(dim=1)


def bi_lstm(
    words: int,
    *,
    width: int = 64,
    hidden: int = 64,
    classes: int = 2,
    dropout: float = 0.0,
    seed: int = 0,
) -> BiLstm:
    """Build a bidirectional LSTM over numbers of words, for example of `data.Vocabulary`.

    Args:
        words: Numbers in all; 0 is padding.
        width: Length of a word's embedding.
        hidden: Units of each direction.
        classes: How many logits.
        dropout: Probability that a value of an embedding, or one of what was found, is
            dropped in training, in [0, 1).
        seed: Fixes the initial weights, and leaves torch's global generator as it was.

    Raises:
        ValueError: A size is no positive whole number, dropout is outside [0, 1), or the seed
            is no whole number >= 0.

    References:
        Graves and Schmidhuber 2005, "Framewise phoneme classification with bidirectional LSTM
        networks".
    """
    check_count(words=words, width=width, hidden=hidden, classes=classes)
    check_drop_rate(dropout=dropout)
    check_count(0, seed=seed)
    with seeded(seed):
        return BiLstm(words, width, hidden, classes, dropout)
