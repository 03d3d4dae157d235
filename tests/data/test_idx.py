"""A damaged IDX file gets one clear sentence that names it."""

import gzip

import numpy as np
import pytest
from _small_data import NAMES, files_under, idx

from kdlab.data import DataDamaged, load

IMAGES, LABELS = NAMES[:2]


def damage(data, name, content):
    """Put other bytes into a file under KDLAB_DATA; return what load says."""
    file = data / "MNIST" / "raw" / name
    file.write_bytes(content)
    before = files_under(data)
    with pytest.raises(DataDamaged) as caught:
        load("mnist")
    assert files_under(data) == before
    assert str(caught.value).startswith(f"{file} is damaged: ")
    assert "Replace it by a whole copy" in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("missing", [1, 8, 30])
def test_a_truncated_gzip_file_is_named(data, contents, name, missing):
    assert "end-of-stream" in damage(data, name, contents[name][:-missing])


@pytest.mark.parametrize("name", NAMES)
def test_a_flipped_checksum_is_seen(data, contents, name):
    whole = bytearray(contents[name])
    whole[-6] ^= 1
    assert "CRC check failed" in damage(data, name, bytes(whole))


@pytest.mark.parametrize("start", [b"", idx(np.zeros((20, 28, 28)))[:10]])
def test_a_file_that_ends_in_its_header_is_named(data, start):
    assert "does not start as an IDX file" in damage(data, IMAGES, gzip.compress(start))


def test_a_web_page_saved_under_the_name_is_named(data):
    said = damage(data, IMAGES, b"<html>sign in to the network</html>")
    assert "Not a gzipped file" in said
    # A shared folder is not everyone's to change.
    assert "a whole copy, delete it, or unset KDLAB_DATA: " in said


def test_garbage_inside_gzip_is_named(data, contents):
    whole = bytearray(contents[IMAGES])
    whole[12:40] = bytes(28)
    damage(data, IMAGES, bytes(whole))


@pytest.mark.parametrize("name, other", [(IMAGES, LABELS), (LABELS, IMAGES)])
def test_one_file_in_place_of_another_is_named(data, contents, name, other):
    assert "does not start as an IDX file" in damage(data, name, contents[other])


@pytest.mark.parametrize("cut, says", [(1, "15680 bytes, got 15679"), (-1, "bytes, got more")])
def test_a_wrong_length_is_told(data, cut, says):
    content = idx(np.zeros((20, 28, 28)))
    content = content[:-cut] if cut > 0 else content + b"x"
    (data / "MNIST" / "raw" / IMAGES).unlink()
    assert says in damage(data, IMAGES.removesuffix(".gz"), content)


@pytest.mark.parametrize("shape", [b"\xff" * 12, bytes(12)])
def test_a_header_that_claims_nonsense_takes_no_memory(data, shape):
    says = damage(data, IMAGES, gzip.compress(bytes((0, 0, 8, 3)) + shape))
    assert "it claims a size of" in says


def test_labels_must_be_as_many_as_images(data):
    content = gzip.compress(idx(np.zeros(19)))
    assert "it has 19 labels for 20 images" in damage(data, LABELS, content)


def test_labels_must_be_classes(data):
    content = gzip.compress(idx(np.full(20, 10)))
    assert "its labels must be in [0, 10), got 10" in damage(data, LABELS, content)


def test_a_damaged_file_in_the_cache_is_named(data, cache, monkeypatch):
    (data / "MNIST").rename(cache.with_name("MNIST"))
    cache.mkdir()
    cache.with_name("MNIST").rename(cache / "MNIST")
    assert "a whole copy, or delete it: " in damage(cache, IMAGES, b"half")
