"""Labelled texts: where they are looked for, how they are read, prepared and split."""

import gzip
from pathlib import Path

import pytest
import torch
from _refusals import check_refused
from _small_data import REAL_DATA

from kdlab.data import DataDamaged, DataUnavailable, load_texts, prepare
from kdlab.data.texts import FILES

NAME = "sentiment140"
LINES = [("negative", f"so sad {word}") for word in "abcdefghij"]
LINES += [("neutral", "well"), ("positive", "fine\u2028 @you"), ("positive", "fine\u2028 @me")]
LINES += [("positive", f"so\rglad\t{word}") for word in "abcdefgh"]


def write(folder: Path, lines=LINES, name=NAME) -> Path:
    file = folder / FILES[name]
    file.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{label}\t{text}\n" for label, text in lines)
    file.write_bytes(gzip.compress(text.encode(), mtime=0))
    return file


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A KDLAB_DATA that holds the small set."""
    root = tmp_path / "data"
    write(root)
    monkeypatch.setenv("KDLAB_DATA", str(root))
    return root


def test_every_line_is_a_text_with_its_class(folder):
    documents = load_texts(NAME)
    kept = [(label, text) for label, text in LINES if label != "neutral"]
    assert documents.texts == tuple(text for _, text in kept)
    assert documents.targets.tolist() == [int(label == "positive") for label, _ in kept]
    assert documents.targets.dtype == torch.int64
    assert documents.class_names == ("negative", "positive")
    assert repr(documents) == "sentiment140: 20 texts of 2 classes, KDLAB_DATA"


def test_classes_choose_and_number_the_labels(folder):
    documents = load_texts(NAME, classes=("positive", "neutral"))
    assert documents.targets.tolist() == [1] + [0] * 10
    assert documents.class_names == ("positive", "neutral")


def test_the_cache_comes_second(folder, cache, monkeypatch):
    write(cache, LINES[:3])
    assert load_texts(NAME).source == "KDLAB_DATA"
    monkeypatch.delenv("KDLAB_DATA")
    documents = load_texts(NAME)
    assert (documents.source, len(documents)) == ("the cache", 3)


@pytest.mark.parametrize("name", FILES)
def test_an_absent_set_is_told_in_one_clear_sentence(folder, cache, monkeypatch, name):
    (folder / FILES[NAME]).unlink()
    with pytest.raises(DataUnavailable) as caught:
        load_texts(name)
    assert str(caught.value) == (
        f"{name} can't be had: KDLAB_DATA ({folder}) does not hold it, the cache ({cache}) does "
        "not hold it, and these texts are never fetched. Set KDLAB_DATA to a folder that holds "
        f"{FILES[name]}."
    )
    assert caught.value.reason == "these texts are never fetched"
    monkeypatch.delenv("KDLAB_DATA")
    with pytest.raises(DataUnavailable, match="^[^:]*: KDLAB_DATA is not set, the cache"):
        load_texts(name)


@pytest.mark.parametrize(
    "damage, says",
    [
        (lambda whole: whole[: len(whole) // 2], "it can't be read to its end (.*)"),
        (lambda whole: b"negative\tplain text\n", "it can't be read to its end (.*)"),
        (lambda whole: gzip.compress(b"negative\t\xff\n"), "it can't be read to its end (.*)"),
        (lambda whole: whole[:12] + b"\0" * 20 + whole[32:], "it can't be read to its end (.*)"),
        (lambda whole: gzip.compress(b"positive\tyes\nno\n"), "line 2 is no label, tab and text"),
        (lambda whole: gzip.compress(b"positive\n"), "line 1 is no label, tab and text"),
        (lambda whole: gzip.compress(b"maybe\tyes\n"), "line 1 is no label, tab and text"),
    ],
)
def test_a_damaged_file_is_named(folder, damage, says):
    file = folder / FILES[NAME]
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(DataDamaged, match=f"{says}. Replace it by a whole copy.$") as caught:
        load_texts(NAME)
    assert str(caught.value).startswith(f"{file} is damaged: ")


@pytest.mark.parametrize(
    "text, prepared",
    [
        ("Hi @Andrey_2!", "hi name !"),
        ("@a @b", "name name"),
        ("mail me: a@b.org", "mail me: a@b.org"),
        ("1,000.5 reasons, 24/7", "number reasons, number / number"),
        ("l8r  GR8", "l number r gr number"),
        ("  two\u00a0 blanks ", "two blanks"),
        ("ПРИВЕТ @Я", "привет name"),
        ("", ""),
    ],
)
def test_prepare_is_the_lecture_s_preprocessing(text, prepared):
    assert prepare(text) == prepared
    assert prepare(prepared) == prepared


def test_split_shuffles_by_a_seed_and_keeps_each_text_s_class(folder):
    documents = load_texts(NAME)
    train, test = documents.split(train=9, test=5, seed=1)
    again = documents.split(train=9, test=5, seed=1)
    assert (train.texts, test.texts) == (again[0].texts, again[1].texts)
    assert test.texts != documents.split(train=9, test=5, seed=2)[1].texts
    assert (len(train), len(test), train.name, test.source) == (9, 5, NAME, "KDLAB_DATA")
    classes = dict(zip(documents.texts, documents.targets.tolist(), strict=True))
    for part in (train, test):
        assert part.targets.tolist() == [classes[text] for text in part.texts]
        assert 0 < part.targets.sum() < len(part)


def test_split_lets_no_text_stand_on_both_sides(folder):
    documents = load_texts(NAME)
    for seed in range(20):
        train, test = documents.split(test=8, seed=seed)
        # "fine @you" and "fine @me" are one text once prepared: 19 of the 20 are different.
        assert (len(train), len(test)) == (11, 8)
        assert len({prepare(text) for text in train.texts + test.texts}) == 19
        assert "fine\u2028 @me" not in train.texts + test.texts


def test_split_draws_all_texts_alike(folder):
    documents = load_texts(NAME)
    drawn = [text for seed in range(200) for text in documents.split(test=5, seed=seed)[1].texts]
    counts = [drawn.count(text) for text in set(drawn)]
    # 1,000 draws, 52.6 of each of 19 to be expected.
    assert len(counts) == 19 and all(30 < count < 80 for count in counts)


def test_the_global_generator_is_left_as_it_was(folder):
    before = torch.get_rng_state()
    load_texts(NAME).split(test=5)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"test": 0}, "test must be a whole number >= 1, got 0"),
        ({"test": 1, "train": -1}, "train must be a whole number >= 1, got -1"),
        ({"test": 1, "seed": 0.5}, "seed must be a whole number >= 0, got 0.5"),
        ({"test": 9, "train": 11}, "train + test must be at most 19, got train 11 and test 9"),
        ({"test": 19}, "train + test must be at most 19, got train 0 and test 19"),
    ],
)
def test_split_refuses(folder, unchecked_shapes, settings, message):
    check_refused(lambda: load_texts(NAME).split(**settings), message)


def test_load_texts_refuses():
    names = ", ".join(repr(name) for name in FILES)
    check_refused(lambda: load_texts("imdb"), f"name must be one of {names}, got 'imdb'")
    labels = "classes must be one of 'negative', 'neutral', 'positive', got 'good'"
    check_refused(lambda: load_texts(NAME, classes=("good",)), labels)
    for wrong in ((), ("neutral", "neutral")):
        message = f"classes must be different labels, at least one, got {wrong!r}"
        check_refused(lambda wrong=wrong: load_texts(NAME, classes=wrong), message)


COUNTS = {
    "sentiment140": (50_000, 0, 50_000),
    "sentiment140-manual": (177, 0, 182),
    "tweet-sentiment": (7_786, 11_117, 8_582),
    "tweet-sentiment-test": (1_001, 1_430, 1_104),
    "sentence-polarity": (5_331, 0, 5_331),
}


@pytest.mark.parametrize("name", COUNTS)
def test_the_real_files_hold_what_they_should(monkeypatch, name):
    if not (Path(REAL_DATA) / FILES[name]).is_file():
        pytest.skip(f"{FILES[name]} is not under KDLAB_DATA")
    monkeypatch.setenv("KDLAB_DATA", REAL_DATA)
    documents = load_texts(name, classes=("negative", "neutral", "positive"))
    assert tuple(documents.targets.bincount(minlength=3).tolist()) == COUNTS[name]
