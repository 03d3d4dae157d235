"""Fetching, against a server on this machine that behaves and misbehaves."""

import json
import os
import socket
import subprocess
import sys
import threading

import pytest
import torch
from _small_data import NAMES, NOBODY, files_under
from torchvision.datasets import MNIST, utils

from kdlab.data import DataUnavailable, fetching, load

RAW = [f"MNIST/raw/{name}" for name in sorted(NAMES)]


def test_a_whole_download_gives_the_set_and_fills_the_cache(server, cache):
    dataset = load("mnist")
    assert dataset.source == "the network"
    assert dataset.train_images[:, 0, 5, 5].tolist() == list(range(20))
    assert dataset.train_targets.tolist() == [*range(10), *range(10)]
    assert dataset.test_images.shape == (10, 1, 28, 28)
    assert files_under(cache) == RAW


def test_what_is_in_the_cache_is_not_asked_for_again(server):
    load("mnist")
    server.asked.clear()
    assert load("mnist").source == "the cache"
    assert server.asked == []


def test_only_the_missing_file_is_fetched(server, cache):
    load("mnist")
    (cache / RAW[0]).unlink()
    server.asked.clear()
    load("mnist")
    assert set(server.asked) == {RAW[0].rpartition("/")[2]}


def test_a_progress_bar_runs_to_its_end(server, capfd):
    load("mnist")
    out, err = capfd.readouterr()
    assert err.count("100%") >= len(NAMES)
    assert out == ""


def test_what_older_versions_of_torchvision_print_is_not_shown(server, capsys, monkeypatch):
    def talkative(url, root, **rest):
        print(f"Downloading {url} to {root}")
        return download_url(url, root, **rest)

    download_url = utils.download_url
    monkeypatch.setattr(utils, "download_url", talkative)
    load("mnist")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("broken", NAMES)
def test_half_a_download_leaves_nothing_under_its_name(server, cache, broken):
    server.cut.add(broken)
    with pytest.raises(DataUnavailable, match=f"fetching {broken} failed .*damaged or cut short"):
        load("mnist")
    assert files_under(cache) == sorted(f"MNIST/raw/{n}" for n in NAMES[: NAMES.index(broken)])


def test_after_half_a_download_the_next_try_goes_on(server, cache):
    server.cut.add(NAMES[1])
    with pytest.raises(DataUnavailable):
        load("mnist")
    server.cut.clear()
    assert len(load("mnist").train_targets) == 20
    assert files_under(cache) == RAW


def test_a_wrong_checksum_leaves_nothing_under_its_name(server, cache):
    whole = server.contents[NAMES[0]]
    server.contents[NAMES[0]] = whole[:-1] + bytes((whole[-1] ^ 1,))
    with pytest.raises(DataUnavailable, match="damaged or cut short"):
        load("mnist")
    assert files_under(cache) == []


def test_a_stalled_download_is_given_up(server, cache, monkeypatch):
    server.stalling.add(NAMES[0])
    monkeypatch.setattr(fetching, "STALL_AFTER", 0.2)
    with pytest.raises(DataUnavailable, match=f"fetching {NAMES[0]} failed .*timed out"):
        load("mnist")
    assert files_under(cache) == []
    assert socket.getdefaulttimeout() is None


def test_a_file_that_the_server_lacks_is_told(server, cache):
    server.missing.add(NAMES[0])
    with pytest.raises(DataUnavailable, match=f"fetching {NAMES[0]} failed .*404"):
        load("mnist")
    assert files_under(cache) == []


def test_the_next_mirror_is_tried(server, monkeypatch):
    server.missing.add("old/" + NAMES[0])
    mirrors = [NOBODY, server.mirror + "old/", server.mirror]
    monkeypatch.setattr(MNIST, "mirrors", mirrors)
    server.missing.update("old/" + name for name in NAMES)
    assert len(load("mnist").train_targets) == 20


def test_no_network_gives_one_clear_sentence(contents, cache):
    with pytest.raises(DataUnavailable) as caught:
        load("mnist")
    assert str(caught.value) == (
        f"MNIST can't be had: KDLAB_DATA is not set, the cache ({cache}) does not hold it, and "
        "no server answered within 4 s. Set KDLAB_DATA to a folder that holds MNIST/raw, or "
        'connect once to fetch it; load("digits") always works.'
    )


def test_a_server_that_never_answers_is_given_up(contents, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(MNIST, "mirrors", [f"http://127.0.0.1:{silent.getsockname()[1]}/"])
        monkeypatch.setattr(fetching, "ANSWER_WITHIN", 0.2)
        with pytest.raises(DataUnavailable, match="no server answered within 0.2 s"):
            load("mnist")


def test_offline_never_touches_the_network(server, cache, monkeypatch):
    monkeypatch.setenv("KDLAB_OFFLINE", "1")
    with pytest.raises(DataUnavailable, match="KDLAB_OFFLINE forbids fetching it"):
        load("mnist")
    assert server.asked == []
    assert not cache.exists()


@pytest.mark.parametrize("value", ["", "0"])
def test_offline_is_off_when_empty_or_zero(server, monkeypatch, value):
    monkeypatch.setenv("KDLAB_OFFLINE", value)
    assert load("mnist").source == "the network"


def test_a_cache_that_cannot_be_made_is_told(server, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("KDLAB_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(DataUnavailable, match="the cache folder can't be written .Not a directory"):
        load("mnist")
    assert server.asked == []


def test_a_name_that_another_process_holds_is_left_to_it(tmp_path, monkeypatch):
    def refuse(source, target):
        raise PermissionError(13, "in use", str(target))

    monkeypatch.setattr(os, "replace", refuse)
    (tmp_path / "part").write_bytes(b"ours")
    with pytest.raises(PermissionError):
        fetching._give_name(tmp_path / "part", tmp_path / "final")
    (tmp_path / "final").write_bytes(b"theirs")
    fetching._give_name(tmp_path / "part", tmp_path / "final")
    assert (tmp_path / "final").read_bytes() == b"theirs"


CHILD = """
import json, sys
from torchvision.datasets import MNIST, utils
MNIST.mirrors, MNIST.resources = json.loads(sys.argv[1])
from kdlab.data import load
dataset = load("mnist")
print(dataset.source, int(dataset.train_images.sum()))
"""


def test_two_processes_at_once_both_end_well(server, cache):
    # The first file is served to none before both have asked for it.
    server.meeting = threading.Barrier(2)
    known = json.dumps([MNIST.mirrors, MNIST.resources])
    command = [sys.executable, "-c", CHILD, known]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [process.communicate(timeout=120)[0] for process in running]
    whole = 28 * 28 * int(torch.arange(20).sum())
    assert answers == [f"the network {whole}\n"] * 2
    assert files_under(cache) == RAW
