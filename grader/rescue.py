"""Files that came in: bytes that are no proper notebook become one, where that can be done.

What a student handed in is never lost: where a file is rewritten, its own bytes are kept in
class/originals/<student>/<unit>/, beside the sentences on what was wrong with it.
"""

import codecs
import json
import mmap
import re
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
from nbformat.validator import iter_validate
from nbformat.warnings import DuplicateCellId, MissingIDFieldWarning

from grader.cells import marks_of, tidy
from grader.course import Course, CourseError
from grader.files import digest, write_whole

for _kind in (DuplicateCellId, MissingIDFieldWarning):  # the doctor sees to the ids of cells
    warnings.filterwarnings("ignore", category=_kind)

MOST_BYTES = 20_000_000  # of one notebook; with figures they stay far below
OUTPUTS = re.compile(rb'"outputs"\s*:\s*\[')  # in JSON, a quote within a text has a backslash
BRACKET = re.compile(rb'(?:[^"\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+([\[\]])', re.DOTALL)
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@dataclass(frozen=True)
class Found:
    """The file that is one of the unit's notebooks."""

    original: bytes | mmap.mmap
    content: bytes  # the original, or what was made of it
    findings: tuple[str, ...]


def heal(name, content):
    """Make a notebook of nbformat 4, in UTF-8 and of a bearable size, of what came in.

    name   : of the file, for the sentences
    content: bytes, or a map of a file that is too large to be read
    returns: bytes, the same where nothing was wrong; sentences on what was
    raises : CourseError, one sentence, where it cannot be done
    """
    findings, size = [], len(content)
    if size > MOST_BYTES:
        content = without_outputs(content)
        if len(content) > MOST_BYTES:
            raise CourseError(f"{name} has {size:,} bytes, and not in outputs: too large.")
        findings.append(f"It had {size / 1e6:.0f} MB, nearly all in outputs; they were left out.")
    content = content[:]  # of a map, its bytes
    text, encoding = decode(content)
    if encoding != "utf-8":
        findings.append(f"It was written as {encoding}; it is UTF-8 now.")
    notebook = parse(name, text)
    if notebook["nbformat"] < 4:
        findings.append(
            f"It was in the old notebook format {notebook['nbformat']}; it is in 4 now."
        )
        notebook = upgrade(name, notebook)
    problem = next(iter_validate(notebook, version=4, version_minor=minor(notebook)), None)
    if problem:
        findings.append("Parts of it were not as a notebook should be; what can be read was kept.")
        notebook = rebuilt(notebook)
    return (json.dumps(notebook, indent=1).encode() if findings else content), findings


def without_outputs(content):
    """The JSON of a notebook with empty lists of outputs: parsed, they take many times the room."""
    pieces, start = [], 0
    while found := OUTPUTS.search(content, start):
        depth, end = 1, None
        for bracket in BRACKET.finditer(content, found.end()):
            depth += 1 if bracket[1] == b"[" else -1
            if depth == 0:
                end = bracket.start(1)
                break
        if end is None:
            break  # it breaks off in here, which the parser will say
        pieces.append(content[start : found.end()])
        start = end
    return b"".join([*pieces, content[start:]])


def decode(content):
    """(text, name of the encoding)"""
    for mark, encoding in MARKS.items():
        if content.startswith(mark):
            return content.decode(encoding, "replace"), encoding.replace("-sig", " with a mark")
    if b"\0" in content[:2]:  # JSON begins with an ASCII character
        encoding = "utf-16-be" if content[:1] == b"\0" else "utf-16-le"
        return content.decode(encoding, "replace"), encoding
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace"), "cp1252"


def parse(name, text):
    """The notebook as JSON holds it, with the number of its format."""
    if not text.strip("\ufeff\0 \r\n\t"):
        raise CourseError(f"{name} is empty: not a notebook.")
    try:
        notebook = json.loads(text)
    except json.JSONDecodeError as error:
        raise CourseError(
            f"{name} is broken: its JSON cannot be read (line {error.lineno}). "
            "It may have been cut off on its way: hand in a copy that JupyterLab can open."
        ) from None
    except (RecursionError, ValueError):  # lists in lists without end, numbers without end
        raise CourseError(f"{name} is not a notebook that Jupyter can read.") from None
    if not isinstance(notebook, dict) or not {"cells", "worksheets"} & {*notebook}:
        raise CourseError(f"{name} is not a notebook: it holds no cells.")
    number = notebook.setdefault("nbformat", 4 if "cells" in notebook else 3)
    if type(number) is not int or not 0 < number < 5:
        raise CourseError(f"{name} is in a notebook format that Jupyter cannot read ({number!r}).")
    return notebook


def upgrade(name, notebook):
    try:
        return nbformat.convert(nbformat.from_dict(notebook), 4)
    except Exception as error:  # nbformat raises many kinds
        said = type(error).__name__
        raise CourseError(f"{name} is in an old format and cannot be converted ({said}).") from None


def minor(notebook):
    number = notebook.get("nbformat_minor")
    return number if type(number) is int else 0


def rebuilt(notebook):
    """What can be read of a notebook that is none by the letter."""
    cells = notebook.get("cells")
    cells = [tidy(cell) for cell in cells if isinstance(cell, dict)] if type(cells) is list else []
    for number, cell in enumerate(cells):
        cell.id = cell.id if type(cell.id) is str and cell.id.isalnum() else f"cell-{number}"
        cell.id = cell.id[:64]
    metadata = notebook.get("metadata")
    kept = {"kernelspec", "language_info"} & {*metadata} if isinstance(metadata, dict) else ()
    about = {key: metadata[key] for key in kept if isinstance(metadata[key], dict)}
    return nbformat.v4.new_notebook(cells=cells, metadata=about)


def sort_out(files, released):
    """Which of the files that came in is which notebook of the unit.

    files   : {path: bytes or map}, in any folders, under any names
    released: {file name: notebook}
    returns : {file name of the unit: Found}
    raises  : CourseError, where a notebook is not there and a file is that cannot be read
    """
    healed, problems = {}, []
    for path, content in sorted(files.items()):
        try:
            healed[path] = heal(Path(path).name, content)
        except CourseError as error:
            problems.append(error)
    claims = {name: [] for name in released}
    for path, (content, _) in healed.items():
        name = Path(path).name
        notebook = None
        if len(healed) > 1 or name not in released:
            notebook = nbformat.reads(content, as_version=4)
            name = most_alike(name, notebook, released)
        if name:
            worked_on = notebook is not None and differs(notebook, released[name])
            claims[name].append((worked_on, Path(path).name == name, path))
    if problems and not all(claims.values()):
        raise problems[0]
    found = {}
    for name, claimants in claims.items():
        if claimants:
            *others, (_, same_name, path) = sorted(claimants)
            content, findings = healed[path]
            if not same_name:
                findings.append(f"It came as {Path(path).name!r}; by its cells it is {name}.")
            if others:
                names = ", ".join(repr(other) for _, _, other in others)
                findings.append(f"Not used, since there was a better one: {names}.")
            found[name] = Found(files[path], content, tuple(findings))
    return found


def most_alike(file, notebook, released):
    """Name of the released notebook that shares most with this one; None if nothing is shared."""
    ids = [marks_of(cell).get("grade_id") for cell in notebook.cells]
    sources = {cell.source.strip() for cell in notebook.cells}

    def shared(name):
        cells = released[name].cells
        marked = sum(
            "nbgrader" in c.metadata and c.metadata.nbgrader.grade_id in ids for c in cells
        )
        return marked, sum(c.source.strip() in sources for c in cells), file == name

    best = max(released, key=shared)
    return best if any(shared(best)) else None


def differs(notebook, released):
    """Whether anything was written into a notebook since its release."""
    given = {cell.source.strip() for cell in released.cells}
    return any(cell.source.strip() not in given for cell in notebook.cells)


def heal_folder(course, student, unit):
    """Put the files of a collected submission right, before anybody reads them.

    For what came by another road than `make collect`, such as nbgrader's exchange. Links are taken
    out: what they point to is not the student's.

    returns: names of the notebooks that are there
    raises : CourseError, one sentence, for a notebook that nobody can read
    """
    folder = course.submitted / student / unit
    for path in list(folder.rglob("*")):
        if path.is_symlink():
            path.unlink()
    files = {
        str(path.relative_to(folder)): contents(path)
        for path in folder.rglob("*.ipynb")
        if path.is_file() and ".ipynb_checkpoints" not in path.parts
    }
    found = sort_out(files, released_notebooks(course, unit))
    store(course, student, unit, found)
    return list(found)


def contents(path):
    """The bytes of a file; of a huge one, a map, which takes no memory."""
    with path.open("rb") as file:
        if path.stat().st_size > MOST_BYTES:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return file.read()


def store(course, student, unit, found):
    """Write {name: Found} into class/submitted/; keep what is replaced, and the findings.

    Stopped at any moment and begun again, it comes to the same end.
    """
    kept = course.classroom / "originals" / student / unit
    notes = read_notes(course, student, unit)
    for name, one in found.items():
        target = course.submitted / student / unit / name
        if one.findings and one.original is not one.content:
            write_whole(kept / f"{digest(one.original)[:12]}_{name}", one.original)
        if notes.get(name, {}).get("digest") != digest(one.content):
            notes[name] = {"digest": digest(one.content), "findings": one.findings}
            write_whole(kept / "findings.json", json.dumps(notes).encode())
        if not target.exists() or contents(target)[:] != one.content:
            write_whole(target, one.content)


def read_notes(course, student, unit):
    path = course.classroom / "originals" / student / unit / "findings.json"
    return json.loads(path.read_text()) if path.exists() else {}


def file_findings(course, student, unit, notebook):
    """What was found wrong with the file of this very notebook before it was put right."""
    path = course.submitted / student / unit / f"{notebook}.ipynb"
    note = read_notes(course, student, unit).get(path.name)
    return note["findings"] if note and note["digest"] == digest(path.read_bytes()) else []


def released_notebooks(course, unit):
    """{file name: notebook} of a unit, as students were given it. Not to be changed."""
    return {path.name: read_once(path, path.stat().st_mtime_ns) for path in course.notebooks(unit)}


@cache
def read_once(path, changed):
    return nbformat.read(path, as_version=4)


def heal_before_autograde(assignment, student, notebooks):
    """The hook of `nbgrader autograde`: before it reads the notebooks of one submission.

    notebooks: their paths; the list is brought up to date
    """
    folder = Path(notebooks[0]).parent
    course = Course(Path.cwd())  # nbgrader works in the root of its course
    names = heal_folder(course, folder.parent.name, assignment)
    notebooks[:] = [str(folder / name) for name in names]
