"""Where `load` looks, in which order, and what it says."""

import gzip
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import torch
from _small_data import NAMES, files_under
from torchvision.datasets import MNIST, FashionMNIST

from kdlab.data import DataDamaged, DataUnavailable, load, loading, places

PARTS = ("train_images", "train_targets", "test_images", "test_targets")


def same(one, other) -> bool:
    return all(torch.equal(getattr(one, part), getattr(other, part)) for part in PARTS)


def test_kdlab_data_is_read_and_named(data):
    dataset = load("mnist")
    assert (dataset.name, dataset.source) == ("mnist", "KDLAB_DATA")
    assert dataset.train_images.shape == (20, 1, 28, 28)
    assert dataset.train_images.dtype == torch.uint8
    assert dataset.train_images[7].unique().tolist() == [7]
    assert dataset.test_targets.tolist() == list(range(10))
    assert dataset.class_names == tuple("0123456789")


def test_unpacked_files_are_read_too(data):
    packed = load("mnist")
    for name in NAMES:
        file = data / "MNIST" / "raw" / name
        file.with_suffix("").write_bytes(gzip.decompress(file.read_bytes()))
        file.unlink()
    assert same(load("mnist"), packed)


def test_fashion_mnist_lies_in_its_own_folder(data):
    shutil.copytree(data / "MNIST", data / "FashionMNIST")
    dataset = load("fashion-mnist")
    assert dataset.name == "fashion-mnist"
    assert dataset.class_names[9] == "ankle boot"


def test_class_names_are_torchvisions():
    kinds = loading._KINDS
    ours = [name.lower() for name in kinds["fashion-mnist"].class_names]
    assert ours == [name.lower() for name in FashionMNIST.classes]
    assert [name[0] for name in MNIST.classes] == list(kinds["mnist"].class_names)


def test_kdlab_data_comes_before_the_cache(data, cache):
    shutil.copytree(data / "MNIST", cache / "MNIST")
    assert load("mnist").source == "KDLAB_DATA"
    shutil.rmtree(data / "MNIST")
    assert load("mnist").source == "the cache"


def test_the_cache_comes_before_the_network(server, data, cache):
    shutil.move(data / "MNIST", cache / "MNIST")
    assert load("mnist").source == "the cache"
    assert server.asked == []


def test_kdlab_data_without_the_set_leads_to_the_network(server, data):
    shutil.rmtree(data / "MNIST")
    assert load("mnist").source == "the network"
    assert files_under(data) == []


def test_kdlab_data_without_the_set_is_named_when_all_fails(data):
    (data / "MNIST" / "raw" / NAMES[3]).unlink()
    with pytest.raises(DataUnavailable) as caught:
        load("mnist")
    assert f"KDLAB_DATA ({data}) does not hold it" in str(caught.value)


@pytest.mark.parametrize("name", ["auto", "mnist", "fashion-mnist", "cifar10"])
@pytest.mark.parametrize("kind", ["no such folder", "a file"])
def test_a_wrong_kdlab_data_gets_one_clear_sentence(server, tmp_path, monkeypatch, name, kind):
    wrong = tmp_path / "wrong"
    if kind == "a file":
        wrong.write_text("")
    monkeypatch.setenv("KDLAB_DATA", str(wrong))
    with pytest.raises(ValueError) as caught:
        load(name)
    assert str(caught.value) == (
        "KDLAB_DATA must be a folder that holds data sets as torchvision lays them out "
        f"(MNIST/raw/...), got {str(wrong)!r}, which is no folder"
    )
    assert server.asked == []


def test_an_empty_kdlab_data_is_none(monkeypatch):
    monkeypatch.setenv("KDLAB_DATA", "")
    assert places.data_folder() is None


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="name must be one of 'auto', 'digits', .* got 'MNIST'"):
        load("MNIST")


@pytest.mark.parametrize(
    "system, variable, value, expected",
    [
        ("linux", "XDG_CACHE_HOME", "/x", Path("/x/kdlab")),
        ("linux", "XDG_CACHE_HOME", "", Path.home() / ".cache" / "kdlab"),
        ("darwin", "XDG_CACHE_HOME", "/x", Path.home() / "Library" / "Caches" / "kdlab"),
        ("win32", "LOCALAPPDATA", "/l", Path("/l/kdlab")),
        ("win32", "LOCALAPPDATA", "", Path.home() / "AppData" / "Local" / "kdlab"),
        ("linux", "KDLAB_CACHE", "/mine", Path("/mine")),
    ],
)
def test_the_cache_is_where_the_platform_keeps_caches(
    monkeypatch, system, variable, value, expected
):
    monkeypatch.delenv("KDLAB_CACHE")
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setenv(variable, value)
    assert places.cache_folder() == expected


@pytest.fixture
def plain_user():
    """Lose root's power over permissions for a while; yields a folder that we then own."""
    if not hasattr(os, "geteuid"):
        pytest.skip("permissions are tested on POSIX systems only")
    # What is imported late must be in: the interpreter may lie where only root reads.
    load("digits")
    folder = Path(tempfile.mkdtemp())
    root = os.geteuid() == 0
    if root:
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if root:
            os.seteuid(0)
        for path in (folder, *folder.rglob("*")):
            if path.is_dir():
                path.chmod(0o755)
        shutil.rmtree(folder)


def test_a_read_only_kdlab_data_is_fine_and_stays_as_it_is(contents, plain_user, monkeypatch):
    raw = plain_user / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in contents.items():
        (raw / name).write_bytes(content)
        (raw / name).chmod(0o444)
    for folder in (raw, raw.parent, plain_user):
        folder.chmod(0o555)
    with pytest.raises(PermissionError):
        (raw / "new").touch()
    monkeypatch.setenv("KDLAB_DATA", str(plain_user))
    before = {path: path.stat().st_mtime_ns for path in plain_user.rglob("*")}
    assert len(load("mnist").train_targets) == 20
    assert {path: path.stat().st_mtime_ns for path in plain_user.rglob("*")} == before


def test_a_read_only_cache_is_told_and_auto_goes_on(server, plain_user, monkeypatch, capsys):
    plain_user.chmod(0o555)
    monkeypatch.setenv("KDLAB_CACHE", str(plain_user))
    with pytest.raises(DataUnavailable, match="the cache folder can't be written .Permission"):
        load("mnist")
    assert load("auto").name == "digits"
    assert str(plain_user) not in capsys.readouterr().out


def test_auto_takes_mnist_and_says_so_in_one_line(data, capsys):
    assert load().name == "mnist"
    assert capsys.readouterr().out == "data: MNIST, 20 training images, from KDLAB_DATA\n"


def test_auto_fetches_mnist_and_says_so(server, capsys):
    assert load("auto").name == "mnist"
    assert capsys.readouterr().out == "data: MNIST, 20 training images, from the network\n"


def test_auto_takes_digits_without_a_network_and_says_why(contents, capsys):
    assert load("auto").name == "digits"
    assert capsys.readouterr().out == (
        "data: digits, 1,297 training images, from scikit-learn, because MNIST is not at hand "
        "and no server answered within 4 s\n"
    )


def test_auto_takes_digits_offline_and_says_why(server, monkeypatch, capsys):
    monkeypatch.setenv("KDLAB_OFFLINE", "1")
    assert load("auto").name == "digits"
    assert capsys.readouterr().out == (
        "data: digits, 1,297 training images, from scikit-learn, because MNIST is not at hand "
        "and KDLAB_OFFLINE forbids fetching it\n"
    )
    assert server.asked == []


def test_auto_does_not_hide_a_damaged_file(data):
    file = data / "MNIST" / "raw" / NAMES[0]
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(DataDamaged, match=NAMES[0]):
        load("auto")


def test_only_auto_prints(data, capfd):
    load("mnist")
    load("digits")
    assert capfd.readouterr() == ("", "")


def test_digits_are_always_the_same(monkeypatch):
    monkeypatch.setenv("KDLAB_DATA", "/no/such/folder")
    one = load("digits")
    torch.manual_seed(123)
    other = load("digits")
    assert same(one, other)
    assert (one.name, one.source) == ("digits", "scikit-learn")
    assert one.train_images.shape == (1297, 1, 28, 28)
    assert one.test_images.shape == (500, 1, 28, 28)
    assert one.train_images.dtype == torch.uint8
    # The split of the published results: a change of it must be seen.
    assert one.train_targets[:12].tolist() == [6, 5, 5, 7, 9, 9, 8, 4, 6, 8, 6, 0]


def test_digits_are_scikit_learns_enlarged():
    from sklearn.datasets import load_digits

    dataset, original = load("digits"), load_digits()
    small = torch.nn.functional.avg_pool2d(
        torch.cat([dataset.train_images, dataset.test_images]).float(), 7, stride=7
    )
    assert (len(small), small.shape[1:]) == (1797, (1, 4, 4))
    expected = torch.from_numpy(original.images).float().mean() * 255 / 16
    assert small.mean().item() == pytest.approx(expected.item(), rel=0.05)
    assert int(dataset.train_images.max()) == 255
    both = torch.cat([dataset.train_targets, dataset.test_targets])
    assert both.bincount().tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_import_costs_torch_and_no_more():
    heavy = "torchvision sklearn PIL scipy matplotlib IPython anywidget"
    code = f"import sys, kdlab.data; print([m for m in {heavy.split()} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.mnist
def test_the_real_mnist(real_data):
    dataset = load("mnist")
    assert dataset.train_images.shape == (60000, 1, 28, 28)
    assert dataset.train_targets[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert dataset.test_targets[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert dataset.train_targets.bincount()[0] == 5923
    # The published mean of the training pixels is 0.1307.
    assert round(dataset.train_images.double().mean().item() / 255, 4) == 0.1307
