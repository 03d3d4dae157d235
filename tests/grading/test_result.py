"""What a student sees: plain text and HTML."""

import re
from html.parser import HTMLParser

import pytest

from kdlab.grading import check
from kdlab.grading.result import CheckResult

STATUSES = ["right", "wrong", "error", "not answered"]


class Text(HTMLParser):
    """Collect visible text and check that every tag is closed."""

    def __init__(self, page):
        super().__init__()
        self.open, self.texts, self.tags = [], [], set()
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def made(status="wrong", **fields):
    return CheckResult("KD02-E3", status, fields.pop("message", "the value differs"), **fields)


def test_html_says_all_that_the_text_says():
    result = made(case="T = 2: f(1)", expected="[[1,\n 2]]", got="3", cause="T^2 missing.")
    text = "".join(Text(result._repr_html_()).texts)
    for part in (
        "KD02-E3: wrong: the value differs",
        "T = 2: f(1)",
        "[[1,\n 2]]",
        "3",
        "T^2 missing.",
    ):
        assert part in text
    for name in ("case", "expected", "got", "likely cause"):
        assert name in text and name in repr(result)


@pytest.mark.parametrize("status", ["wrong", "error"])
def test_status_is_a_word_and_not_only_a_colour(status):
    assert f"KD02-E3: {status}: " in "".join(Text(made(status)._repr_html_()).texts)


def test_each_status_has_its_own_sign():
    assert len({Text(made(status)._repr_html_()).texts[0] for status in STATUSES}) == 4


@pytest.mark.parametrize("status", STATUSES)
def test_colours_follow_the_theme(status):
    page = made(status, case="c", got="g", cause="c")._repr_html_()
    for colour in re.findall(r"(?:color|background|solid)[: ]([^;\"]+)", page):
        assert colour.startswith("var(--jp-"), colour


@pytest.mark.parametrize("field", ["message", "case", "expected", "got", "cause"])
def test_student_text_is_escaped(field):
    evil = "</pre><script>alert(1)</script><img src=x onerror='alert(2)'>&amp;"
    parsed = Text(made(**{field: evil})._repr_html_())
    assert parsed.tags <= {"div", "span", "strong", "pre"}
    assert evil in "".join(parsed.texts)


def test_returned_markup_is_escaped():
    page = check("KD01-E1", lambda logits, temperature: "<script>alert(1)</script>")._repr_html_()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_exception_markup_is_escaped():
    def fails(logits, temperature):
        raise ValueError("<b>bold</b>")

    assert "&lt;b&gt;bold" in check("KD01-E1", fails)._repr_html_()


def test_lines_of_an_array_stay_aligned():
    lines = repr(made(got="[[1, 2],\n [3, 4]]")).splitlines()
    assert lines[1:] == ["  got           [[1, 2],", "                 [3, 4]]"]
