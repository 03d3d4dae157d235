"""Which of a student's files counts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kdlab.grading.intake.listing import Found, open_zip
from kdlab.grading.intake.origins import Origin, is_notebook, is_zip, split_count, stem_of
from kdlab.grading.intake.sources import Refused, Source, ZipSource
from kdlab.grading.intake.words import capped, listed, shown

MOST_ZIPS = 5
# A note that starts so asks for a person.
PASSED_OVER = "Another notebook was passed over"


@dataclass(frozen=True)
class Handed:
    """A file that a student handed in."""

    found: Found
    origin: Origin

    @property
    def file(self) -> str:
        """Return its path, for people."""
        return shown("/".join(self.found.parts), 300)

    @property
    def notebook(self) -> bool:
        """Tell if it is called a notebook."""
        return is_notebook(self.found.parts[-1]) and not self.found.folder


@dataclass(frozen=True)
class Choice:
    """The file that counts, or why none does."""

    source: Source
    file: str
    notes: tuple[str, ...] = ()


def choose(handed: Sequence[Handed], *, student: str, name: str, homework: str) -> Choice:
    """Choose the latest notebook that is called like the homework, else the only one.

    Args:
        handed: All files of one student.
        student: The name for people.
        name: Stem of the homework's notebook.
        homework: The homework's id.
    """
    handed = _with_zips(handed)
    notebooks = [each for each in handed if each.notebook]
    if not notebooks:
        return _without_notebook(handed, student)
    latest, notes = _latest(handed, notebooks)
    best = _best(latest, name, homework)
    if len(best) > 1:
        files = listed([each.file for each in best])
        reason = f"{student} handed in several notebooks, and it isn't clear which counts: {files}."
        return Choice(Refused(reason), best[0].file, capped(notes))
    others = [each for each in latest if _content(each) != _content(best[0])]
    notes += [f"{PASSED_OVER}: {each.file}." for each in others]
    return Choice(best[0].found.source, best[0].file, capped(notes))


def _with_zips(handed: Sequence[Handed]) -> list[Handed]:
    """Put what lies in a zip in its place; a zip in that zip stays closed."""
    zips = [each for each in handed if is_zip(each.found.parts[-1])][:MOST_ZIPS]
    result = []
    for each in handed:
        inside = open_zip(each.found) if each in zips else [each.found]
        for found in inside:
            stem = stem_of(found.parts[-1])
            whose = each.origin if found is each.found else replace(each.origin, stem=stem)
            result.append(Handed(found, whose))
    return result


def _without_notebook(handed: Sequence[Handed], student: str) -> Choice:
    files = [each for each in handed if not each.found.folder]
    if not files:
        return Choice(
            Refused(f"{student} handed in an empty folder, or one that can't be read."),
            handed[0].file,
        )
    refused = [each for each in files if isinstance(each.found.source, Refused)]
    if refused:
        return Choice(refused[0].found.source, refused[0].file)
    names = listed([_last_part(each) for each in files])
    return Choice(Refused(f"{student} handed in {names}, no notebook."), files[0].file)


def _last_part(handed: Handed) -> str:
    return handed.found.parts[-1]


def _latest(handed: Sequence[Handed], notebooks: list[Handed]) -> tuple[list[Handed], list[str]]:
    """Keep the newest attempt, and of each name in it the newest upload."""
    newest = max(each.origin.when for each in notebooks)
    latest = [each for each in notebooks if each.origin.when == newest]
    counts: dict[str, int] = {}
    for each in latest:
        stem = each.origin.stem.casefold()
        counts[stem] = max(each.origin.count, counts.get(stem, 0))
    latest = [each for each in latest if each.origin.count == counts[each.origin.stem.casefold()]]
    older = [each.file for each in notebooks if each not in latest]
    notes = [f"An older attempt was passed over: {file}." for file in older]
    later = [each.file for each in handed if each.origin.when > newest]
    notes += [f"A newer attempt has no notebook: {file}." for file in later]
    return latest, notes


def _best(notebooks: list[Handed], name: str, homework: str) -> list[Handed]:
    """Return the one that counts, or all that might."""
    # "hw1_temperature_final" beside "hw1_temperature" may be the newer one, or not.
    rivals = [each for each in notebooks if _is_rival(each.origin.stem, name)]
    best = [*_counted(notebooks, name), *rivals] or notebooks
    for narrower in (_in_folder(best, homework), _highest(best)):
        best = narrower if len(narrower) == 1 else best
    # A zip may hold a file twice; that is no question where both are the same.
    return best[:1] if len({_content(each) for each in best}) == 1 else best


def _counted(notebooks: list[Handed], name: str) -> list[Handed]:
    """Return the last of "hw1", "hw1 (1)", "hw1 (2)", as browsers and systems name copies."""
    split = [(split_count(each.origin.stem), each) for each in notebooks]
    copies = [(n, each) for (stem, n), each in split if stem.casefold() == name.casefold()]
    most = max((n for n, _ in copies), default=0)
    return [each for n, each in copies if n == most]


def _is_rival(stem: str, name: str) -> bool:
    plain = split_count(stem)[0].casefold()
    return plain != name.casefold() and plain.startswith(name.casefold())


def _in_folder(notebooks: list[Handed], homework: str) -> list[Handed]:
    wanted = homework.casefold()
    return [each for each in notebooks if wanted in map(str.casefold, each.found.parts[1:-1])]


def _highest(notebooks: list[Handed]) -> list[Handed]:
    """Return what lies in the fewest folders, where all are called like the homework."""
    if len({each.origin.stem.casefold() for each in notebooks}) > 1:
        return notebooks
    depth = min(len(each.found.parts) for each in notebooks)
    return [each for each in notebooks if len(each.found.parts) == depth]


def _content(handed: Handed) -> object:
    """Return what is the same for two files of the same bytes."""
    source = handed.found.source
    if isinstance(source, ZipSource):
        return source.member.checksum, source.member.size
    return source
