"""The network that reads texts: against an LSTM written out, and trained by the house's loops."""

import pytest
import torch
from _refusals import check_refused

from kdlab.data import Batches, Vocabulary, hash_ngrams
from kdlab.models import bi_lstm, count_parameters, mlp
from kdlab.schemes import distill, evaluate, predict, train

WORDS = 12


def numbers(*rows, length=6):
    return torch.tensor([[*row, *[0] * (length - len(row))] for row in rows])


def read(lstm, embedded, suffix):
    """One direction of an LSTM, step by step."""
    weights = [getattr(lstm, f"{name}_l0{suffix}") for name in ("weight_ih", "weight_hh")]
    bias = getattr(lstm, f"bias_ih_l0{suffix}") + getattr(lstm, f"bias_hh_l0{suffix}")
    state = cell = torch.zeros(weights[1].shape[1])
    states = []
    for word in embedded:
        gates = weights[0] @ word + weights[1] @ state + bias
        into, forget, new, out = gates.chunk(4)
        cell = forget.sigmoid() * cell + into.sigmoid() * new.tanh()
        state = out.sigmoid() * cell.tanh()
        states.append(state)
    return torch.stack(states)


def test_the_logits_are_those_of_the_lstm_written_out():
    model = bi_lstm(WORDS, width=5, hidden=4, classes=3, seed=3)
    texts = ([2, 5, 5, 7], [3], [4, 1, 2, 3, 8, 9])
    maps = model.features(numbers(*texts))
    for i, text in enumerate(texts):
        embedded = model.embedding.weight[text]
        forth = read(model.lstm, embedded, "")
        back = read(model.lstm, embedded.flip(0), "_reverse").flip(0)
        pooled = torch.cat([forth, back], dim=1).amax(dim=0)
        torch.testing.assert_close(maps["words"][i], embedded.mean(dim=0))
        torch.testing.assert_close(maps["pooled"][i], pooled)
        expected = model.logits.weight @ pooled + model.logits.bias
        torch.testing.assert_close(maps["logits"][i], expected)
    assert list(maps) == ["words", "pooled", "logits"]
    assert torch.equal(model(numbers(*texts)), maps["logits"])


def test_padding_is_read_by_nothing():
    model = bi_lstm(WORDS)
    short = model(numbers([2, 5, 7], [3], length=3))
    torch.testing.assert_close(model(numbers([2, 5, 7], [3], length=30)), short)
    model(numbers([2, 5], [3])).sum().backward()
    assert not model.embedding.weight.grad[0].any()
    assert model.embedding.weight.grad[[2, 3, 5]].abs().sum(dim=1).all()


def test_a_text_without_words_has_logits_too():
    maps = bi_lstm(WORDS).features(numbers([], [2]))
    assert maps["logits"].isfinite().all()
    assert not maps["words"][0].any()


def test_the_order_of_words_counts():
    model = bi_lstm(WORDS)
    one, other = model(numbers([2, 3, 4], [4, 3, 2]))
    assert not torch.allclose(one, other)


def test_a_seed_fixes_the_weights_and_leaves_the_global_generator():
    before = torch.get_rng_state()
    one, same, other = (bi_lstm(WORDS, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    texts = numbers([2, 3])
    assert torch.equal(one(texts), same(texts))
    assert not torch.equal(one(texts), other(texts))


def test_dropout_drops_in_training_only():
    model, texts = bi_lstm(WORDS, dropout=0.5), numbers([2, 3])
    one, other = model.features(texts), model.features(texts)
    assert torch.equal(one["words"], other["words"])
    assert not torch.equal(one["pooled"], other["pooled"])
    assert not torch.allclose(one["logits"], model.logits(one["pooled"]))
    model.eval()
    assert torch.equal(model(texts), model(texts))
    assert torch.equal(model(texts), bi_lstm(WORDS)(texts))


def test_parameters_are_counted():
    model = bi_lstm(WORDS, width=5, hidden=4, classes=3)
    assert count_parameters(model) == WORDS * 5 + 2 * 4 * 4 * (5 + 4 + 2) + 8 * 3 + 3


def ordered(count=200, seed=0):
    """Texts that say "up" and "down" in either order: no count of words tells the classes."""
    generator = torch.Generator().manual_seed(seed)
    places = torch.rand(count, 5, generator=generator).argsort(dim=1)[:, :2]
    texts = []
    for up, down in places.tolist():
        words = ["so"] * 5
        words[up], words[down] = "up", "down"
        texts.append(" ".join(words))
    return texts, (places[:, 0] < places[:, 1]).long()


def test_the_house_s_loops_train_teacher_and_student():
    (texts, targets), (new, truth) = ordered(), ordered(seed=1)
    vocabulary = Vocabulary(texts)
    encoded, test = vocabulary.encode(texts, length=6), (vocabulary.encode(new, length=6), truth)
    teacher = bi_lstm(len(vocabulary), width=8, hidden=8, dropout=0.1)
    optimizer = torch.optim.Adam(teacher.parameters(), lr=0.02)
    batches = Batches(encoded, targets, batch_size=32)
    assert train(teacher, batches, optimizer, epochs=15, test=test).test_errors[-1] == 0
    features = hash_ngrams(texts, buckets=64, longest=3)
    student = mlp((64, 2))
    optimizer = torch.optim.Adam(student.parameters(), lr=0.05)
    settings = {"epochs": 20, "temperature": 2.0, "lambda_": 1.0}
    said = predict(teacher, encoded)
    distill(student, said, Batches(features, targets, batch_size=32), optimizer, **settings)
    assert evaluate(student, hash_ngrams(new, buckets=64, longest=3), truth) < 40
    assert count_parameters(mlp((768, 2))) == 1538


@pytest.mark.parametrize("name", ["words", "width", "hidden", "classes"])
def test_sizes_are_refused(name):
    message = f"{name} must be a whole number >= 1, got 0"
    check_refused(lambda: bi_lstm(**{"words": 5, name: 0}), message)


def test_dropout_and_seed_are_refused():
    check_refused(lambda: bi_lstm(5, dropout=1.0), "dropout must be in [0, 1), got 1.0")
    check_refused(lambda: bi_lstm(5, seed=-1), "seed must be a whole number >= 0, got -1")
