"""The repository as a newcomer meets it: pins, links, commands, licences, nothing stray."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from ci_tools import load_tool
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import kdlab

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MADE_HERE = re.compile(r"\.(?!ci$|gitignore$).*|build|dist|__pycache__|.*\.egg-info")
TEXTS = {".py", ".md", ".toml", ".yml", ".txt", ".js", ".css", ".html", ".json", ".ipynb", ""}


def repository_files() -> list[Path]:
    """Return what git keeps or would keep; without git, all that nothing made here."""
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True)
    except FileNotFoundError:
        listed = None
    if listed is None or listed.returncode:
        paths = [path.relative_to(ROOT) for path in ROOT.rglob("*")]
        kept = [path for path in paths if not any(map(MADE_HERE.fullmatch, path.parts))]
    else:
        kept = [Path(name) for name in listed.stdout.split("\0") if name]
    return [ROOT / path for path in kept if (ROOT / path).is_file()]


FILES = repository_files()


def pins(text: str) -> dict[str, str]:
    """Return name -> version of every "name==version" line, with or without a dash."""
    found = re.findall(r"^[\s-]*([\w.-]+)==([\w.+!-]+)\s*$", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


PINS = pins((ROOT / "requirements.txt").read_text())
RANGES = [
    Requirement(line)
    for lines in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for line in lines
]


@pytest.mark.parametrize("wanted", RANGES, ids=lambda wanted: wanted.name)
def test_requirements_pin_what_pyproject_allows(wanted):
    assert wanted.specifier.contains(PINS[canonicalize_name(wanted.name)])


def test_requirements_pin_nothing_else():
    assert set(PINS) == {canonicalize_name(wanted.name) for wanted in RANGES}
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert len([line for line in lines if line and not line.startswith("#")]) == len(PINS)


def test_environment_says_the_same_as_requirements():
    environment = (ROOT / "environment.yml").read_text()
    assert pins(environment) == PINS
    assert f"python {PROJECT['requires-python']}" in environment


def test_version_stands_in_one_place():
    assert PROJECT["dynamic"] == ["version"] and "version" not in PROJECT
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(rf"^## \[{re.escape(kdlab.__version__)}\] - \S+", changelog, re.MULTILINE)


def test_licences_are_named():
    licence = (ROOT / "LICENSE").read_text()
    assert "Permission is hereby granted, free of charge" in licence
    assert "https://creativecommons.org/licenses/by/4.0/legalcode" in licence
    assert PROJECT["license"] == "MIT AND CC-BY-4.0"


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?:)([^)#]+)", README))
def test_link_of_the_readme_leads_somewhere(target):
    assert (ROOT / target).exists()


@pytest.mark.parametrize("anchor", re.findall(r"\]\(#([^)]+)\)", README))
def test_anchor_of_the_readme_is_a_heading(anchor):
    headings = re.findall(r"^#+ (.*)$", README, re.MULTILINE)
    assert anchor in [re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z]+)", README))))
def test_command_of_the_readme_is_in_the_makefile(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("script", sorted(set(re.findall(r"\.ci[\\/](\w+\.py)", README))))
def test_script_of_the_readme_is_there(script):
    assert (ROOT / ".ci" / script).exists()


def test_python_of_the_readme_runs():
    blocks = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})


def test_readme_shows_the_measured_times():
    times = json.loads((ROOT / "assets" / "results" / "lecture_times.json").read_text())
    lectures = {path.stem[:2] for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert set(times["seconds"]) == lectures
    assert load_tool("notebooks").write_times(README, times) == README
    assert "TODO" not in README


def test_readme_shows_the_measured_tables():
    assert "<!-- hinton-mnist -->\n|" in README
    assert load_tool("readme").filled(README) == README


def test_files_are_small_and_no_data():
    assert [path for path in FILES if path.stat().st_size >= 2_000_000] == []
    data = re.compile(r".*(ubyte|\.(npy|npz|pt|pth|pkl|tar|tgz|gz|zip))")
    assert [path for path in FILES if data.fullmatch(path.name)] == []


# A file under somebody's home or in a scratch folder is on one machine only. This file, and
# the rules for notebooks with their planted violations, name such paths to look for them.
MACHINE = re.compile(
    r"(?<![\w.:/\\~}-])/(?:home|Users|root|work|workspace|mnt|private|tmp|opt)/\w[\w.-]*"
    r"|\b[A-Z]:\\Users\\"
)
LOOKERS = {"test_repository.py", "notebook_rules.py", "test_notebooks.py"}


def machine_paths(text: str) -> list[str]:
    """Return the paths in a text that exist on one machine only."""
    return MACHINE.findall(text)


def test_no_file_names_a_machine():
    read = [path for path in FILES if path.name not in LOOKERS and path.suffix in TEXTS]
    assert len(read) > 20
    named = {path: machine_paths(path.read_text(encoding="utf-8")) for path in read}
    assert {path: found for path, found in named.items() if found} == {}


def test_machine_paths_are_found():
    assert machine_paths("open('/home/ann/data')") == ["/home/ann"]
    assert machine_paths(r"C:\Users\ann") != []
    assert machine_paths("https://a.org/home/b, ~/home/x, ../work/y, a/tmp/b") == []
