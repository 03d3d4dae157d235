"""Untrusted text: what is replaced, cut, escaped; and the numbers and times on a page."""

import pytest

from kdlab.grading.report.chart import bins, histogram
from kdlab.grading.report.text import block, cell, line, moment, name, natural, number, seconds


@pytest.mark.parametrize(
    "code",
    [0, 7, 8, 0x1B, 0x7F, 0x9B, 0xAD, 0x61C, 0x200B, 0x200E, 0x202E, 0x2066, 0xFEFF, 0xE0041],
)
def test_hidden_characters_are_shown_by_their_code(code):
    assert block(f"a{chr(code)}b") == f"a‹U+{code:04X}›b"


@pytest.mark.parametrize(
    "text", ["Ёлкина Дарья", "王小明", "محمد", "می‌خواهم", "Nguyễn", "🙂", "a\tb\nc"]
)
def test_honest_text_stays(text):
    assert block(text) == text


def test_lines_end_as_on_unix_and_a_progress_bar_has_lines():
    assert block("a\r\nb\rc\n") == "a\nb\nc\n"


def test_line_has_no_breaks():
    assert line(" a\n\tb\u2028c ") == "a b‹U+2028›c"


def test_piled_accents_are_cut():
    assert block("Z" + "\u0301" * 50 + "a") == "Z\u0301\u0301a"


@pytest.mark.parametrize("shown", [block, line])
def test_text_is_cut_with_a_mark(shown):
    assert shown("x" * 10, 10) == "x" * 10
    assert shown("x" * 11, 10) == "x" * 10 + "…"


@pytest.mark.parametrize("shown", [block, line])
def test_markup_is_escaped_for_text_and_attribute(shown):
    assert shown("<a href=\"x\" b='y'>&") == "&lt;a href=&quot;x&quot; b=&#x27;y&#x27;&gt;&amp;"


def test_name_is_set_apart_from_its_surroundings():
    assert name("<b>") == "<bdi>&lt;b&gt;</bdi>"


def test_cell_is_cut():
    assert len(cell("=" * 10_000)) == 602


def test_natural_order_takes_odd_digits():
    odd = ["9" * 5000, "²", "٣", "", "a1b22", "a1b3"]
    assert sorted(odd, key=natural)[-1] == "٣" or len(sorted(odd, key=natural)) == 6
    assert natural("a1b3") < natural("a1b22") < natural("a2")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(3.0, "3"), (7.5, "7.5"), (10, "10"), (0, "0"), (8 / 3, "2.67"), (100.0, "100")],
)
def test_numbers_are_short(value, shown):
    assert number(value) == shown


def test_durations_have_a_unit():
    assert [seconds(0.0123), seconds(1), seconds(61.26)] == ["12 ms", "1 s", "61.3 s"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-21T09:05:59+02:00", "2026-11-21 07:05 UTC"),
        ("2026-11-21T07:05:59", "2026-11-21 07:05 UTC"),
        ("<today>", "&lt;today&gt;"),
    ],
)
def test_moments_are_in_one_zone(text, shown):
    assert moment(text) == shown


@pytest.mark.parametrize("maximum", [0.3, 1.0, 2.5, 7.5, 20.0, 33.0, 100.0, 5000.0])
def test_bins_hold_every_point_once(maximum):
    points = [maximum * i / 50 for i in range(51)]
    found = bins(points, maximum)
    assert sum(students for _, _, students in found) == 51
    assert found[0][0] == 0 and found[-1][1] >= maximum - 1e-9 and len(found) <= 12
    for low, high, students in found:
        inside = [p for p in points if low - 1e-9 <= p < high - 1e-9]
        assert students == len(inside) + (high == found[-1][1] and maximum >= high - 1e-9)


def test_histogram_of_a_homework_without_points():
    assert "<svg" in histogram([0.0], 0.0, 0.0)


@pytest.mark.parametrize(("median", "anchor"), [(0, "start"), (10, "middle"), (20, "end")])
def test_label_of_the_median_stays_in_the_picture(median, anchor):
    drawn = histogram([0.0, 20.0], 20.0, median)
    assert f'text-anchor="{anchor}">median {median}<' in drawn
