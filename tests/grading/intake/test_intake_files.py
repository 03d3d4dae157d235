"""find_submissions on folders and zips: everyone once, nothing followed, nothing unpacked."""

import os
import pickle
import socket
import stat
import sys
import zipfile

import pytest
from _intake_helpers import NAMES, find, put, read_all, zipped

from kdlab.grading.intake import Rejected, find_submissions

HW = "hw1_temperature.ipynb"
posix = pytest.mark.skipif(os.name != "posix", reason="needs links, pipes and odd names")


def refusal(place) -> str:
    """Return why the only submission is refused."""
    [submission] = find(place)
    with pytest.raises(Rejected) as caught:
        submission.read()
    return str(caught.value)


def test_a_flat_folder_of_notebooks(tmp_path):
    put(tmp_path, **{"boris.ipynb": b"b", "anna 10.ipynb": b"10", "anna 9.ipynb": b"9"})
    found = find(tmp_path)
    assert [each.student for each in found] == ["anna 9", "anna 10", "boris"]
    assert [each.read() for each in found] == [b"9", b"10", b"b"]
    assert found[2].key == "boris" and found[2].file == "boris.ipynb"


@pytest.mark.parametrize("below", ["", "hw1/", "work/notebooks/"])
def test_a_folder_of_student_folders(tmp_path, below):
    put(tmp_path, **{f"anna/{below}{HW}": b"a", f"boris/{below}{HW}": b"b"})
    assert read_all(tmp_path) == {"anna": b"a", "boris": b"b"}


def test_nbgraders_folder_with_other_homework_and_time_stamps(tmp_path):
    files = {f"submitted/anna/hw1/{HW}": b"a", "submitted/anna/hw1/timestamp.txt": b"t"}
    put(
        tmp_path,
        **files,
        **{"submitted/anna/hw2/x.ipynb": b"2", "submitted/boris/hw2/x.ipynb": b"2"},
    )
    for place in (tmp_path, tmp_path / "submitted"):
        assert read_all(place) == {"anna": b"a"}


def test_one_notebook_is_a_place_too(tmp_path):
    put(tmp_path, **{"anna.ipynb": b"a"})
    assert read_all(tmp_path / "anna.ipynb") == {"anna": b"a"}


def test_a_place_that_is_none_is_an_error(tmp_path):
    put(tmp_path, **{"x.tar": b"t", "x.zip": b"no zip"})
    for name in ("gone", "x.tar", "x.zip"):
        with pytest.raises(ValueError, match="place must be a folder, a zip or a notebook, got"):
            find(tmp_path / name)


def test_the_notebook_named_like_the_homework_counts(tmp_path):
    put(
        tmp_path, **{f"anna/{HW}": b"right", "anna/other.ipynb": b"other", f"anna/old/{HW}": b"old"}
    )
    assert read_all(tmp_path) == {"anna": b"right"}


def test_the_only_notebook_counts_whatever_its_name(tmp_path):
    put(tmp_path, **{"anna/my work.IPYNB": b"a", "anna/data.csv": b"x"})
    assert read_all(tmp_path) == {"anna": b"a"}


def test_a_browsers_ending_and_copies_are_fine(tmp_path):
    put(tmp_path, **{"anna/hw1_temperature.ipynb.txt": b"a"})
    put(
        tmp_path,
        **{"boris/hw1_temperature (1).ipynb": b"1", "boris/hw1_temperature (2).ipynb": b"2"},
    )
    assert read_all(tmp_path) == {"anna": b"a", "boris": b"2"}


def test_several_other_notebooks_are_refused_by_name(tmp_path):
    put(tmp_path, **{f"anna/{letter}.ipynb": b"" for letter in "abcde"})
    why = refusal(tmp_path)
    assert why.startswith("anna handed in several notebooks")
    assert why.endswith("anna/a.ipynb, anna/b.ipynb, anna/c.ipynb and 2 more.")


def test_things_that_are_no_notebook_are_refused_by_name(tmp_path):
    put(tmp_path, **{"Anna Ivanova/report.pdf": b"%PDF", "Anna Ivanova/solution.py": b""})
    assert refusal(tmp_path) == "Anna Ivanova handed in report.pdf, solution.py, no notebook."


def test_a_flat_pdf_and_an_empty_folder_are_submissions(tmp_path):
    put(tmp_path, **{"anna.pdf": b"", "boris.ipynb": b"", "README.md": b"", "index.html": b""})
    (tmp_path / "clara").mkdir()
    put(tmp_path, **{"dora/.ipynb_checkpoints/x.ipynb": b"", "__MACOSX/x.ipynb": b""})
    put(tmp_path, **{".DS_Store": b"", "boris/.hidden.ipynb": b""})
    found = {each.student: each for each in find(tmp_path)}
    assert list(found) == ["anna", "boris", "clara", "dora"]
    for student in ("clara", "dora"):
        with pytest.raises(Rejected, match=f"{student} handed in an empty folder"):
            found[student].read()


@posix
def test_links_are_refused_and_never_followed(tmp_path):
    secret, place = tmp_path / "secret", tmp_path / "place"
    put(secret, **{HW: b"secret"})
    (place / "boris").mkdir(parents=True)
    (place / "anna").symlink_to(secret)
    (place / "boris" / HW).symlink_to(secret / HW)
    (place / "clara.ipynb").symlink_to(secret / HW)
    (place / "dora.ipynb").symlink_to("dora.ipynb")
    found = find(place)
    assert [each.student for each in found] == ["anna", "boris", "clara", "dora"]
    for each in found:
        with pytest.raises(Rejected, match="is a symbolic link; links are not followed"):
            each.read()


@posix
def test_a_link_put_in_place_later_isnt_followed_either(tmp_path):
    secret, place = tmp_path / "secret", tmp_path / "place"
    put(secret, **{HW: b"secret"})
    put(place, **{f"anna/{HW}": b"a", "boris.ipynb": b"b"})
    found = find(place)
    (place / "anna").rename(place / "moved")
    (place / "anna").symlink_to(secret)
    (place / "boris.ipynb").unlink()
    (place / "boris.ipynb").symlink_to(secret / HW)
    for each in found:
        with pytest.raises(Rejected):
            each.read()


@posix
def test_pipes_sockets_and_devices_are_never_opened(tmp_path):
    (tmp_path / "boris").mkdir()
    os.mkfifo(tmp_path / "anna.ipynb")
    os.mkfifo(tmp_path / "boris" / HW)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "clara.ipynb"))
    for each in find(tmp_path):
        with pytest.raises(Rejected, match="is no regular file"):
            each.read()


@posix
def test_a_pipe_put_in_place_later_doesnt_hang(tmp_path):
    put(tmp_path, **{"anna.ipynb": b"a"})
    [anna] = find(tmp_path)
    (tmp_path / "anna.ipynb").unlink()
    os.mkfifo(tmp_path / "anna.ipynb")
    with pytest.raises(Rejected, match="is no regular file"):
        anna.read()


def test_a_file_that_is_gone_or_became_a_folder_is_refused(tmp_path):
    put(tmp_path, **{"anna.ipynb": b"a", "boris.ipynb": b"b"})
    anna, boris = find(tmp_path)
    (tmp_path / "anna.ipynb").unlink()
    (tmp_path / "boris.ipynb").unlink()
    (tmp_path / "boris.ipynb").mkdir()
    for each in (anna, boris):
        with pytest.raises(Rejected):
            each.read()


def test_two_hundred_megabytes_are_refused_unread(tmp_path):
    with open(tmp_path / "anna.ipynb", "wb") as file:
        file.truncate(200 * 2**20)
    wanted = "The file has 200 MB; at most 10 MB are read. Clear the outputs and hand it in again."
    assert refusal(tmp_path) == wanted
    [anna] = find(tmp_path)
    with pytest.raises(Rejected, match="at most 1 kB are read"):
        anna.read(1024)


NAMES_OF_STUDENTS = [
    "Anna Ivanova",
    "Анна Иванова",
    "安娜",
    "🐻‍❄️",
    "-rf",
    "a\nb",
    "a\tb",
    "\u202egnp",
    "a\u200fb",
    "con",
    "NUL.txt",
    "anna",
    "Anna",
    "ANNA",
    "anna ",
    "anna.",
    "an'na\"",
    "x" * 200,
    "e\u0301",
    "\u00e9",
    "$(reboot)",
    "%s{0}",
]


@posix
def test_any_name_works_and_keys_are_safe_unique_and_stable(tmp_path):
    raw = [name.encode() for name in NAMES_OF_STUDENTS] + [b"\xff\xfe", b"\xff\xfd"]
    for name in raw:
        with open(os.path.join(os.fsencode(tmp_path), name + b".ipynb"), "wb") as file:
            file.write(name)
    found = find(tmp_path)
    assert sorted(each.read() for each in found) == sorted(raw)
    keys = {each.read(): each.key for each in found}
    assert len({key.lower() for key in keys.values()}) == len(raw)
    for each in found:
        assert each.key.isascii() and len(each.key) < 80 and each.key[0] not in "-."
        assert set(each.key) <= set(
            "-._0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
        )
        assert each.key.split(".")[0].lower() not in {"con", "nul"}
        (each.student + each.file).encode()
        assert not any(ord(letter) < 32 or letter in "\u202e\u200f" for letter in each.student)
        assert pickle.loads(pickle.dumps(each)).read() == each.read()
    assert keys[b"anna"] == "anna"
    for name in raw[::2]:
        os.unlink(os.path.join(os.fsencode(tmp_path), name + b".ipynb"))
    assert all(keys[each.read()] == each.key for each in find(tmp_path))


def test_a_name_made_to_look_like_anothers_key_gets_its_own(tmp_path):
    put(tmp_path, **{"Anna B.ipynb": b""})
    [anna] = find(tmp_path)
    put(tmp_path, **{f"{anna.key}.ipynb": b"", f"{anna.key.lower()}.ipynb": b""})
    assert len({each.key.lower() for each in find(tmp_path)}) == len(list(tmp_path.iterdir()))


@pytest.mark.parametrize("top", ["", "class/", "submitted/", "some name/"])
def test_a_zip_of_either_is_read_without_unpacking(tmp_path, top):
    flat = [(f"{top}anna.ipynb", b"a"), (f"{top}boris.ipynb", b"b"), ("__MACOSX/._x.ipynb", b"")]
    nested = [(f"{top}anna/{HW}", b"a"), (f"{top}boris/", b""), (f"{top}boris/hw1/{HW}", b"b")]
    for files in (flat if top != "some name/" else nested, nested):
        put(tmp_path, **{"class.zip": zipped(files)})
        assert read_all(tmp_path / "class.zip") == {"anna": b"a", "boris": b"b"}
    assert [each.name for each in tmp_path.iterdir()] == ["class.zip"]


def test_submissions_from_a_zip_can_be_sent_to_another_process(tmp_path):
    put(tmp_path, **{"class.zip": zipped([("anna.zip", zipped([("x.ipynb", b"a")]))])})
    [anna] = find(tmp_path / "class.zip")
    assert pickle.loads(pickle.dumps(anna)).read() == b"a"


def special(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    info.create_system = 3
    return info


def zip_refusal(tmp_path, data: bytes) -> str:
    put(tmp_path, **{"class.zip": data})
    return refusal(tmp_path / "class.zip")


@pytest.mark.parametrize(
    "name", ["../anna.ipynb", "/anna.ipynb", "C:\\anna.ipynb", "..\\anna.ipynb"]
)
def test_paths_that_leave_the_zip_are_refused(tmp_path, name):
    info = zipfile.ZipInfo("x")
    info.filename = name
    assert "names a file outside of itself" in zip_refusal(tmp_path, zipped([(info, b"evil")]))


def test_a_path_through_another_student_cant_replace_him(tmp_path):
    files = [(f"boris/{HW}", b"b"), (f"anna/../boris/{HW}", b"evil")]
    put(tmp_path, **{"class.zip": zipped(files)})
    boris = find(tmp_path / "class.zip")[-1]
    assert (boris.student, boris.read()) == ("boris", b"b")


def test_backslashes_separate_folders(tmp_path):
    put(tmp_path, **{"class.zip": zipped([("anna\\hw1\\x.ipynb", b"a"), ("boris\\x.ipynb", b"b")])})
    assert read_all(tmp_path / "class.zip") == {"anna": b"a", "boris": b"b"}


def test_links_and_devices_in_a_zip_are_refused(tmp_path):
    link = special("anna.ipynb", stat.S_IFLNK | 0o777)
    assert "is a symbolic link" in zip_refusal(tmp_path, zipped([(link, b"/etc/passwd")]))
    pipe = special("anna.ipynb", stat.S_IFIFO | 0o666)
    assert "is no regular file" in zip_refusal(tmp_path, zipped([(pipe, b"")]))


def test_encrypted_files_are_refused(tmp_path):
    data = bytearray(zipped([("anna.ipynb", b"a")]))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "is encrypted" in zip_refusal(tmp_path, bytes(data))


def test_unusual_packings_are_refused(tmp_path):
    data = zipped([("anna.ipynb", b"a" * 99)], zipfile.ZIP_LZMA)
    assert "packed in an unusual way" in zip_refusal(tmp_path, data)


def test_bombs_are_refused_by_size_and_by_ratio(tmp_path):
    assert "has 20 MB; at most 10 MB" in zip_refusal(
        tmp_path, zipped([("a.ipynb", bytes(20 * 2**20))])
    )
    assert "more than 300 times" in zip_refusal(tmp_path, zipped([("a.ipynb", bytes(9 * 2**20))]))
    inner = zipped([("x.ipynb", bytes(9 * 2**20))])
    assert "more than 300 times" in zip_refusal(tmp_path, zipped([("a.zip", inner)]))
    inner = zipped([("x.ipynb", bytes(40 * 2**20))], zipfile.ZIP_STORED)
    assert "a.zip: The file has 41 MB" in zip_refusal(tmp_path, zipped([("a.zip", inner)]))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("declared", [0, 5, 400])
def test_a_declared_size_that_lies_is_refused(tmp_path, method, declared):
    data = bytearray(zipped([("a.ipynb", bytes(range(200)))], method))
    place = data.index(b"PK\x01\x02") + 24
    data[place : place + 4] = declared.to_bytes(4, "little")
    assert zip_refusal(tmp_path, bytes(data)) == "The file can't be unpacked: its zip is damaged."


def test_a_damaged_file_spares_the_others(tmp_path):
    data = bytearray(zipped([("anna.ipynb", b"a" * 50), ("boris.ipynb", b"b")], zipfile.ZIP_STORED))
    data[data.index(b"aaaa") + 3] ^= 1
    put(tmp_path, **{"class.zip": bytes(data)})
    anna, boris = find(tmp_path / "class.zip")
    assert boris.read() == b"b"
    with pytest.raises(Rejected, match="is damaged"):
        anna.read()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_in_a_zip_counts_once_only_if_it_is_the_same(tmp_path):
    put(tmp_path, **{"class.zip": zipped([(f"anna/{HW}", b"a"), (f"anna/{HW}", b"a")])})
    assert read_all(tmp_path / "class.zip") == {"anna": b"a"}
    why = zip_refusal(tmp_path, zipped([(f"anna/{HW}", b"a"), (f"anna/{HW}", b"b")]))
    assert "several notebooks" in why


def test_names_in_utf8_are_read_whether_the_zip_says_so_or_not(tmp_path):
    data = zipped([("Аня.ipynb", b"a"), ("é.ipynb", b"e")])
    put(tmp_path, **{"class.zip": data})
    assert list(read_all(tmp_path / "class.zip")) == ["é", "Аня"]
    unsaid = bytearray(data)
    for mark, place in ((b"PK\x01\x02", 9), (b"PK\x03\x04", 7)):
        start = unsaid.find(mark)
        while start >= 0:
            unsaid[start + place] &= ~8
            start = unsaid.find(mark, start + 4)
    put(tmp_path, **{"class.zip": bytes(unsaid)})
    assert list(read_all(tmp_path / "class.zip")) == ["é", "Аня"]
    put(tmp_path, **{"class.zip": bytes(unsaid).replace("é".encode(), b"\x82x")})
    assert "éx" in read_all(tmp_path / "class.zip")


def test_a_students_zip_is_opened_one_level_deep(tmp_path):
    deep = zipped([("in.zip", zipped([(HW, b"deep")]))])
    put(tmp_path, **{"anna/hw1.zip": zipped([(HW, b"a"), ("x.csv", b"")]), "boris/hw1.zip": deep})
    put(
        tmp_path,
        **{"clara/hw1.zip": b"no zip", "dora.zip": zipped([]), "emil.zip": zipped([(HW, b"e")])},
    )
    found = {each.student: each for each in find(tmp_path)}
    assert found["anna"].read() == b"a" and found["emil"].read() == b"e"
    assert found["anna"].file == f"anna/hw1.zip/{HW}"
    for student, why in [
        ("boris", "boris handed in in.zip, no notebook"),
        ("clara", "hw1.zip: The zip is damaged"),
        ("dora", "dora.zip is empty"),
    ]:
        with pytest.raises(Rejected, match=why):
            found[student].read()


def test_a_zip_with_a_huge_directory_is_refused(tmp_path):
    inner = zipped([(f"{n:0300}.txt", b"") for n in range(10_000)], zipfile.ZIP_STORED)
    put(tmp_path, **{"anna.zip": inner})
    assert "anna.zip: The zip is damaged" in refusal(tmp_path)
    put(tmp_path, **{"anna.zip": zipped([(f"{n}.txt", b"") for n in range(10_001)])})
    assert "more than 10,000 files" in refusal(tmp_path)


def test_no_student_is_lost_in_deep_or_hidden_folders(tmp_path):
    put(tmp_path, **{"anna/" + "a/" * 20 + "x.ipynb": b"", "boris.ipynb": b"b"})
    put(tmp_path, **{"z.zip": zipped([("anna/" + "a/" * 20 + "x.ipynb", b""), ("b.ipynb", b"")])})
    found = find(tmp_path)
    assert [each.student for each in found] == ["anna", "boris", "z"]
    with pytest.raises(Rejected, match="nested more than 12 deep"):
        found[0].read()
    (tmp_path / "boris.ipynb").unlink()
    files = [("clara/.x/y.ipynb", b""), ("dora.ipynb", b""), ("anna/" + "a/" * 20 + "x.ipynb", b"")]
    put(tmp_path, **{"z.zip": zipped(files)})
    assert [each.student for each in find(tmp_path / "z.zip")] == ["anna", "clara", "dora"]


@pytest.mark.skipif(sys.platform == "win32", reason="paths differ")
def test_a_place_may_be_a_link_or_relative(tmp_path, monkeypatch):
    put(tmp_path, **{"real/anna.ipynb": b"a"})
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    [anna] = find_submissions((tmp_path / "link").relative_to(tmp_path), **NAMES)
    monkeypatch.chdir("/")
    assert anna.read() == b"a"
