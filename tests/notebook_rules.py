"""The rules that every lecture keeps, each a function from a notebook to complaints.

How text is counted: words of markdown cells between two code cells, without code, formulas,
tables, pictures and folded parts (`<details>`). 40-120 words stand there, except that

- a stub (a cell that ends in `# your answer`) may be followed by its check at once, and
- where something folded stands (hints, a solution), there is no lower bound, and
- where a new section starts (`## `), the 120 are counted afresh.
"""

import ast
import json
import re

import nbformat

WIDGET = "application/vnd.jupyter.widget"
SLIDES = {"slide", "subslide", "fragment", "skip", "notes", "-"}

# What the lectures written so far say they cover: lecture -> items of the five source lectures.
COVERED = {
    "00": {"S0": [1, 2], "S1": [1, 2], "S4": [6]},
    "01": {"S0": range(3, 10), "S1": [3, 4], "S2": [2, 3], "S4": [7, 8]},
    "02": {
        "S0": [*range(10, 16), 22],
        "S1": [5, 6],
        "S2": [*range(4, 9), 10],
        "S4": [2, 11],
    },
    "03": {"S1": range(9, 18), "S4": [15, 16]},
    "04": {"S0": [16, 17, 18, 32], "S2": range(11, 19), "S4": range(17, 22)},
    "05": {"S0": [19, 20, 21, 31], "S2": range(19, 23), "S4": range(22, 26)},
    "06": {"S0": [23, 24], "S4": [12, 13]},
    "07": {"S0": range(25, 29), "S2": [9], "S4": [9, 10, 14]},
    "10": {"S3": range(1, 27)},
    "11": {"S0": range(37, 45)},
    "12": {"S0": range(45, 50)},
}


def items(lecture: str) -> set[str]:
    """Return the names of a lecture's items, such as "S0.3"."""
    return {f"{source}.{n}" for source, ns in COVERED[lecture].items() for n in ns}


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(text: str) -> str:
    """Return a markdown text without what nobody reads as a sentence."""
    for dropped in (
        r"<details.*?</details>",
        r"```.*?```",
        r"\$\$.*?\$\$",
        r"!\[[^\]]*\]\([^)]*\)",
        r"(?m)^\|[^\n]*$",
        r"\$[^$\n]+\$",
        r"<[^>]+>",
    ):
        text = re.sub(dropped, " ", text, flags=re.DOTALL)
    return re.sub(r"\]\([^)]*\)", "]", text)


def count_words(text: str) -> int:
    return len(re.findall(r"[^\W\d_][\w'’-]*", prose(text)))


def is_stub(cell) -> bool:
    return "# your answer" in cell.source


def is_check(cell) -> bool:
    return bool(re.search(r"\bcheck\(", cell.source))


def images_of(output):
    """Yield (mime type, content, metadata) for each picture of an output."""
    for mime, content in output.get("data", {}).items():
        if mime.startswith("image/"):
            yield mime, content, output.get("metadata", {}).get(mime, {})


def texts_of(output):
    """Yield everything in an output that isn't a picture in bytes."""
    yield output.get("text", "")
    for mime, content in output.get("data", {}).items():
        if not mime.startswith(("image/png", "image/jpeg")):
            yield content if isinstance(content, str) else json.dumps(content)


def is_valid(notebook):
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        yield f"not a notebook: {error.message}"


def has_stable_ids(notebook):
    ids = [cell.get("id", "") for cell in notebook.cells]
    for name in sorted({name for name in ids if ids.count(name) > 1}):
        yield f"cell id {name} stands more than once"
    for name in ids:
        if not re.fullmatch(r"[a-z][a-z0-9-]*", name) or re.fullmatch(r"[0-9a-f-]{8,}", name):
            yield f"cell id {name!r} isn't a name that somebody chose, such as kd01-intro"


def has_short_cells(notebook):
    for cell in code_cells(notebook):
        if (lines := len(cell.source.splitlines())) > 20:
            yield f"{cell.id}: {lines} lines of code, at most 20"


def has_text_between_code(notebook):
    last, text = None, ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text += "\n\n" + cell.source
            continue
        is_pair = last is not None and is_stub(last) and is_check(cell) and not text
        low = 0 if "<details" in text or is_pair else 40
        longest = max(map(count_words, re.split(r"(?m)^## ", text)))
        if last is not None and not (low <= count_words(text) and longest <= 120):
            yield f"{last.id} ... {cell.id}: {count_words(text)} words, not {low} to 120"
        last, text = cell, ""


def is_executed_in_order(notebook):
    cells = [cell for cell in code_cells(notebook) if cell.source.strip()]
    counts = [cell.execution_count for cell in cells]
    if counts != list(range(1, len(cells) + 1)):
        yield f"not executed from top to bottom: {counts}"


def has_outputs_without_errors(notebook):
    outputs = [(cell, output) for cell in code_cells(notebook) for output in cell.outputs]
    if not outputs:
        yield "no outputs"
    for cell, output in outputs:
        if output.output_type == "error":
            yield f"{cell.id}: {output.ename}"
        if output.output_type == "stream" and output.name == "stderr":
            yield f"{cell.id}: prints to stderr: {output.text[:60]}"


def has_no_widget_state(notebook):
    if "widgets" in notebook.metadata:
        yield "widget state in the metadata"
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if any(mime.startswith(WIDGET) for mime in output.get("data", {})):
                yield f"{cell.id}: a live widget's output"


def has_slides(notebook):
    for cell in notebook.cells:
        if cell.metadata.get("slideshow", {}).get("slide_type") not in SLIDES:
            yield f"{cell.id}: no slideshow metadata"


def has_plain_imports(notebook):
    importing = []
    for cell in code_cells(notebook):
        nodes = list(ast.walk(ast.parse(cell.source)))
        imports = [node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))]
        importing += [cell.id] if imports else []
        if any(name.name == "*" for node in imports for name in node.names):
            yield f"{cell.id}: star import"
    if len(importing) != 1:
        yield f"imports stand in {len(importing)} cells {importing}, not in one"


def hides_nothing(notebook):
    for cell in code_cells(notebook):
        if re.search(r"filterwarnings|simplefilter|catch_warnings|captureWarnings", cell.source):
            yield f"{cell.id}: filters warnings"
        tags = cell.metadata.get("tags", [])
        if cell.metadata.get("jupyter", {}).get("source_hidden") or "hide-input" in tags:
            yield f"{cell.id}: hidden code"


def has_matching_covers(notebook):
    declared = notebook.metadata.get("kdlab", {}).get("covers", [])
    closing = re.findall(r"^Covers: (.*?)\.?$", notebook.cells[-1].source, re.MULTILINE)
    written = re.split(r",\s*", closing[-1]) if closing else []
    if not declared or declared != written:
        yield f"metadata covers {declared}, the closing line says {written}"
    if strange := [name for name in declared if not re.fullmatch(r"S[0-4]\.\d+", name)]:
        yield f"no items: {strange}"


def covers_its_items(notebook, lecture):
    if lecture not in COVERED:
        return
    declared = set(notebook.metadata.get("kdlab", {}).get("covers", []))
    if missing := sorted(items(lecture) - declared):
        yield f"lecture {lecture} doesn't cover {', '.join(missing)}"
    if foreign := sorted(declared - items(lecture)):
        yield f"lecture {lecture} covers what isn't its own: {', '.join(foreign)}"


def checked_ids(notebook) -> list[str]:
    sources = "\n".join(cell.source for cell in code_cells(notebook))
    return re.findall(r"\bcheck\(\s*[\"']([^\"']+)[\"']", sources)


def has_questions(notebook, known):
    asked = checked_ids(notebook)
    for name in sorted({name for name in asked if asked.count(name) > 1}):
        yield f"{name} is checked more than once"
    if unknown := sorted(set(asked) - set(known)):
        yield f"check without a question: {', '.join(unknown)}"
    if unused := sorted(set(known) - set(asked)):
        yield f"question without a check: {', '.join(unused)}"


def has_alternative_texts(notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            for mime, content, metadata in images_of(output):
                is_named = mime == "image/svg+xml" and re.search(
                    r"aria-label=\"[^\"]+\"|<title>[^<]+", content
                )
                if not metadata.get("alt") and not is_named:
                    yield f"{cell.id}: {mime} without alt text"
            for tag in re.findall(r"<img\b[^>]*>", output.get("data", {}).get("text/html", "")):
                if not re.search(r"\balt=\"[^\"]+\"", tag):
                    yield f"{cell.id}: <img> without alt text"
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and re.search(r"!\[\s*\]\(", cell.source):
            yield f"{cell.id}: picture without alt text"


def names_no_machine(notebook):
    absolute = re.compile(
        r"(?<![\w.:/])/(?:home|Users|root|work|workspace|tmp|private|mnt|opt|usr|var)/[\w.-]+"
        r"|\b[A-Z]:\\\w+"
    )
    for cell in notebook.cells:
        for text in [cell.source, *(t for o in cell.get("outputs", []) for t in texts_of(o))]:
            if found := absolute.search(text):
                yield f"{cell.id}: names a machine's path, {found[0]}"


def has_sourced_numbers(notebook):
    """A measured number in prose is typed only where its paragraph names the source."""
    measured = re.compile(
        r"\d[\d., ]*(?:%|percent\b|(?:test |training )?(?:errors|mistakes)\b)", re.IGNORECASE
    )
    source = re.compile(r"arXiv|doi|https?://|published|\bet al\b|section \d|table \d", re.I)
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        for paragraph in re.split(r"\n\s*\n", cell.source):
            found = measured.search(prose(paragraph))
            if found and not source.search(paragraph):
                yield f"{cell.id}: {found[0]!r} is typed, without a source"


RULES = [
    is_valid,
    has_stable_ids,
    has_short_cells,
    has_text_between_code,
    is_executed_in_order,
    has_outputs_without_errors,
    has_no_widget_state,
    has_slides,
    has_plain_imports,
    hides_nothing,
    has_matching_covers,
    has_alternative_texts,
    names_no_machine,
    has_sourced_numbers,
]
