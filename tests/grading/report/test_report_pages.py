"""What holds for every page: well formed, harmless, readable by all, naming nobody else."""

import base64
import hashlib
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from _fake_results import EVIL, STATUSES, fake_result

import kdlab.grading.report
from kdlab.grading.report.text import one_line
from kdlab.grading.report.words import LOOKS

STATIC = Path(kdlab.grading.report.__file__).parent / "static"
TEXTS = ["title", "message", "case", "expected", "got", "mistake", "cause", "output"]
# Attribute and element breakers, an entity, a template's placeholder.
NASTY = "\"'></pre></style><script>alert(1)</script><img src=x onerror=alert(2)>&lt; $title {0}"


def test_pages_are_well_formed(pages):
    assert len(pages) == 41


def test_ids_are_unique_and_references_hold(pages):
    for page in pages:
        assert set(page.ids.values()) <= {1}
        named = " ".join(page.values("aria-labelledby")).split()
        jumps = [href[1:] for href in page.values("href") if href.startswith("#")]
        assert set(named + jumps) <= set(page.ids)


def test_headings_do_not_skip_a_level(pages):
    for page in pages:
        levels = page.headings
        assert levels.count(1) == 1
        assert all(b <= a + 1 for a, b in zip(levels, levels[1:], strict=False))


def test_table_heads_have_a_scope_and_tables_a_caption(pages):
    for page in pages:
        assert all(attrs.get("scope") in ("col", "row") for attrs in page.all("th"))
        assert len(page.all("caption")) == len(page.all("table"))


def test_what_scrolls_can_be_reached_by_keyboard(pages):
    for page in pages:
        scrolls = [attrs for attrs in page.all("div") if attrs.get("class") == "scroll"]
        assert all(attrs["tabindex"] == "0" and attrs["aria-label"] for attrs in scrolls)


def test_pictures_have_a_text_or_are_decoration(pages):
    for page in pages:
        for attrs in page.all("svg"):
            assert {"aria-label", "aria-labelledby", "aria-hidden"} & set(attrs)


def test_policy_allows_our_script_only(class_page, student_pages):
    [policy] = [a["content"] for a in class_page.all("meta") if "http-equiv" in a]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")
    [script] = re.findall("<script>(.*?)</script>", class_page.source, flags=re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    for page in student_pages.values():
        assert "script-src 'none'" in page.source and "<script" not in page.source


def test_policy_comes_before_whatever_it_governs(pages):
    for page in pages:
        assert [tag for tag, _ in page.tags][:4] == ["html", "head", "meta", "meta"]
        assert "http-equiv" in page.tags[3][1]


def test_pages_load_nothing(pages):
    for page in pages:
        assert not page.values("src") and not page.all("link") and "url(" not in page.source
        assert all(
            not href.startswith(("http", "//", "data", "java")) for href in page.values("href")
        )


def test_no_handler_stands_in_an_attribute(pages):
    for page in pages:
        assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]


def test_links_of_the_class_page_lead_to_pages(class_page, grades):
    links = {href for href in class_page.values("href") if href.startswith("students/")}
    assert len(links) == 40
    assert all((grades / "report" / unquote(link)).is_file() for link in links)


def test_a_student_is_on_the_own_page_and_on_no_other(student_pages, results):
    shown = {key: one_line(result["student"], 120) for key, result in results.items()}
    for key, page in student_pages.items():
        assert shown[key] in page.text
        others = {name for name in shown.values() if name not in shown[key]}
        # The showcase prints that name's markup.
        assert not [name for name in others - {EVIL} if name in page.text]
        assert not [href for href in page.values("href") if not href.startswith("#")]


def test_name_that_is_markup_is_shown_as_it_stands(class_page, student_pages):
    assert EVIL in class_page.text and EVIL in student_pages["sub_0006"].text
    assert "<script>alert" not in student_pages["sub_0006"].source


@pytest.mark.parametrize("field", TEXTS)
def test_texts_of_a_question_are_escaped(report, field):
    result = fake_result(1, "A")
    result["questions"][0] |= {"status": "wrong", "points": 0, "cause": "", "mistake": "m"}
    result["questions"][0][field] = NASTY
    pages = report(a=result)
    assert NASTY in pages["a"].text or field == "mistake" and NASTY in pages[""].text


@pytest.mark.parametrize("field", ["student", "homework", "reason", "isolation", "digest"])
def test_texts_of_a_result_are_escaped(report, field):
    page = report(a=fake_result(1, "A") | {field: NASTY})["a"]
    assert NASTY in page.text


@pytest.mark.parametrize(
    "place",
    [
        {"notes": [NASTY]},
        {"versions": {NASTY: "1"}},
        {"versions": {"a": NASTY}},
        {"graded": NASTY},
        {"file": NASTY.replace("/", "")},
    ],
)
def test_other_texts_of_a_result_are_escaped(report, place):
    shown = place.get("file", NASTY)
    assert shown in report(a=fake_result(1, "A") | place)["a"].text


@pytest.mark.parametrize("place", ["name", "message"])
def test_texts_of_a_case_are_escaped(report, place):
    result = fake_result(1, "A")
    case = {"name": "n", "weight": 1.0, "right": False, "message": "m"} | {place: NASTY}
    result["questions"][0]["cases"] = [case]
    assert NASTY in report(a=result)["a"].text


def test_id_of_a_question_is_escaped_on_every_page(report):
    result = fake_result(1, "A")
    result["questions"][0]["id"] = NASTY
    pages = report(a=result)
    assert NASTY in pages[""].text and NASTY in pages["a"].text


def test_ids_in_uses_are_escaped(report):
    result = fake_result(1, "A")
    result["questions"][0]["uses"] = {NASTY: "own"}
    assert f"your own answer to {NASTY}" in report(a=result)["a"].text


def test_key_with_odd_characters_is_linked_and_quoted(report, tmp_path):
    key = "a b'&\"#?%41;$(id)"
    pages = report(**{key: fake_result(1, "A")})
    [link] = {href for href in pages[""].values("href") if href.startswith("students/")}
    assert not set("#?\"' ;$&") & set(link)
    assert (tmp_path / "report" / unquote(link)).is_file()
    assert "--student 'a b'\"'\"'&" in pages[key].text


def test_huge_texts_are_cut(report):
    result = fake_result(1, "x" * 100_000)
    result["questions"][0] |= {"status": "wrong", "points": 0}
    result["questions"][0] |= dict.fromkeys(TEXTS, "y" * 1_000_000)
    pages = report(a=result)
    assert len(pages["a"].source) < 100_000 and len(pages[""].source) < 50_000
    assert "…" in pages["a"].text


def test_every_status_has_its_own_sign_and_stands_as_a_word(class_page, student_pages):
    text = " ".join(page.text for page in student_pages.values())
    assert tuple(LOOKS) == STATUSES
    assert (
        len({look.sign for look in LOOKS.values()}) == len({x.style for x in LOOKS.values()}) == 8
    )
    for status in STATUSES:
        assert re.search(rf"{status}, [\d.]+ of \d points", text)
        assert f"{status}: " in class_page.text


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--(\w+): (#\w{6});", block))


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_and_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", [0, 1, 2])
def test_text_can_be_read_in_every_theme(theme):
    css = (STATIC / "report.css").read_text("utf-8")
    palette = colours(css.split(":root {")[1:][theme].split("}")[0])
    for ink in ("text", "muted", "link"):
        for paper in ("page", "panel", "warn"):
            assert contrast(palette[ink], palette[paper]) >= 4.5, (ink, paper)


def test_narrow_screen_is_told_that_the_students_table_scrolls():
    css = (STATIC / "report.css").read_text("utf-8")
    narrow = css[css.index("@media screen and (max-width: 48rem)") :].split("}\n}")[0]
    assert '.students caption::after { content: " (scroll sideways)"; ' in narrow


def test_there_are_a_light_a_dark_and_a_printed_theme():
    css = (STATIC / "report.css").read_text("utf-8")
    themes = [colours(part.split("}")[0]) for part in css.split(":root {")[1:]]
    assert len(themes) == 3 and len({frozenset(theme) for theme in themes}) == 1
    assert "(prefers-color-scheme: dark)" in css and "@media print" in css


def test_colours_come_from_the_theme():
    rules = re.sub(r":root \{.*?\}", "", (STATIC / "report.css").read_text("utf-8"), flags=re.S)
    assert not re.findall(r"#[0-9a-f]{3,6}\b", rules)
