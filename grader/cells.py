"""What every part of the grader asks of a cell: its kind, its name, a whole copy."""

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell
from nbgrader.utils import is_grade, is_solution

NEW_CELL = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}


def is_test(cell):
    """Whether it is a cell that tests, rather than an answer that a person grades."""
    return is_grade(cell) and not is_solution(cell)


def identity(cell, index=None):
    """The name that nbgrader knows a cell by, or else its place."""
    return cell.metadata.get("nbgrader", {}).get("grade_id") or f"cell {index}"


def marks_of(cell):
    """nbgrader's metadata of a cell, {} where there is nothing of the kind."""
    marks = cell.metadata.get("nbgrader")
    return marks if isinstance(marks, dict) else {}


def tidy(cell):
    """A cell as nbformat wants it, without outputs, with the line ends of Unix."""
    kind = cell.get("cell_type")
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str):
        source = ""
    # half of a surrogate pair could never be written to a file
    source = source.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")
    clean = NEW_CELL.get(kind, new_raw_cell)(source)
    clean.id = cell.get("id")
    metadata = cell.get("metadata")
    clean.metadata = NotebookNode(metadata if isinstance(metadata, dict) else {})
    if kind == "markdown" and is_attached(cell.get("attachments")):
        clean.attachments = cell["attachments"]
    return clean


def is_attached(files):
    """Whether it is what nbformat calls attachments: pictures that were pasted into a text."""
    return isinstance(files, dict) and all(
        isinstance(file, dict)
        and all(type(data) is str and data.isascii() for data in file.values())
        for file in files.values()
    )
