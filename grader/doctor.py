"""The submission doctor: put a notebook right that suffered on its way, and say what was wrong.

This file mends the cells of a notebook; grader.rescue mends files. Whatever comes in, what leaves
has each cell that nbgrader knows once, in the order of the release, with the instructor's metadata
and, where it is locked, the instructor's source. All else is the student's own and earns nothing.
"""

import ast
import re
from copy import deepcopy
from dataclasses import dataclass

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from grader.cells import NEW_CELL, is_test, marks_of, tidy

# what a cell defines at its margin; a pattern finds it in code that is no Python, too
DEFINES = re.compile(
    r"^(?:(?:async +)?def|class) +(\w+)|^(\w+)(?: *:[^=\n]*)? *=(?!=)", re.MULTILINE
)
MARKS = ("grade", "solution", "locked", "task", "points")  # of nbgrader, each worth forging


@dataclass(eq=False)  # two cells with the same content are two cells
class Own:
    """A cell of the submission, and the number of the released cell that it stands for."""

    cell: NotebookNode
    stands_for: int | None = None


def mend(notebook, released, sources):
    """Put right, in place, what became of the instructor's cells.

    The same submission always gives the same notebook: verdicts are kept by its content.

    notebook: the submission, nbformat 4
    released: the notebook as students were given it
    sources : {grade_id: (cell type, source, locked)} of the gradebook, hidden tests included
    returns : sentences on what was found
    """
    graded = {
        number: cell.metadata.nbgrader.grade_id
        for number, cell in enumerate(released.cells)
        if "nbgrader" in cell.metadata
    }
    locked = {n: sources[grade_id][1] for n, grade_id in graded.items() if sources[grade_id][2]}
    case = Case(notebook, released, graded, locked)
    case.look_at_kernel(notebook.metadata)
    case.recognize_by_mark()
    case.choose_among_copies()
    case.recognize_by_content()
    case.take_apart()
    case.find_lost_answers()
    case.rejoin()
    case.order()
    notebook.cells = case.dressed(sources)
    notebook.metadata = deepcopy(released.metadata)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return case.findings


class Case:
    """One submission under treatment: its cells, its release, what was found so far."""

    def __init__(self, notebook, released, graded, locked):
        self.owns = [Own(tidy(cell)) for cell in notebook.cells if isinstance(cell, dict)]
        self.released, self.graded, self.locked = released.cells, graded, locked
        self.answers = [number for number in graded if number not in locked]
        self.findings = []
        self.parted = []  # cells that were merged with another: they are not lost

    def given(self, number):
        return self.released[number].source

    def standing_for(self, number):
        return [own for own in self.owns if own.stands_for == number]

    def missing(self, numbers):
        there = {own.stands_for for own in self.owns}
        return [number for number in numbers if number not in there]

    def recognize_by_mark(self):
        """By grade_id, whatever else the metadata say."""
        numbers = {grade_id: number for number, grade_id in self.graded.items()}
        for own in self.owns:
            marks = marks_of(own.cell)
            grade_id = marks.get("grade_id")
            own.stands_for = numbers.get(grade_id) if isinstance(grade_id, str) else None
            if own.stands_for is not None:
                was = self.released[own.stands_for].metadata.nbgrader
                changed = [mark for mark in MARKS if mark in marks and marks[mark] != was.get(mark)]
                if changed:
                    self.findings.append(
                        f"The metadata of {grade_id} had been changed ({', '.join(changed)}); "
                        "they are as they were released."
                    )
            elif any(marks.get(mark) for mark in MARKS):
                self.findings.append(
                    f"A cell calls itself {str(grade_id)[:40]!r}, which was never released; "
                    "it earns nothing."
                )

    def choose_among_copies(self):
        """Of cells with one grade_id, the last that was worked on counts."""
        for number, grade_id in self.graded.items():
            copies = self.standing_for(number)
            if len(copies) < 2:
                continue
            changed = [own for own in copies if not same(own.cell.source, self.given(number))]
            alike = [own for own in copies if same(own.cell.source, self.given(number))]
            kept = [*alike, *changed][0 if number in self.locked else -1]
            for own in changed:
                own.stands_for = number if own is kept else None
            spare = set(alike) - {kept}  # nothing is lost with them
            self.owns = [own for own in self.owns if own not in spare]
            which = "the last that was changed counts" if changed else "one is kept"
            if number in self.locked:
                which = "the instructor's counts"
            self.findings.append(f"The cell {grade_id} was there {len(copies)} times; {which}.")

    def recognize_by_content(self):
        """Cells without marks, and lecture cells: by the id, or the source, that they came with."""
        for matches in (same_id, same_source):
            for number in self.missing(range(len(self.released))):
                found = (
                    own
                    for own in self.owns
                    if own.stands_for is None and matches(own.cell, self.released[number])
                )
                own = next(found, None)
                if own:
                    own.stands_for = number
        lost = [
            self.graded[own.stands_for]
            for own in self.owns
            if own.stands_for in self.graded and "grade_id" not in marks_of(own.cell)
        ]
        if lost:
            self.findings.append(
                f"nbgrader's marks were lost on {listed(lost)}; the cells were recognized."
            )

    def take_apart(self):
        """Locked text out of the student's cells, the student's code out of locked cells."""
        asked = set().union(*(defined(self.given(number)) for number in self.answers))
        gone = self.missing(self.locked)
        for own in list(self.owns):
            number, source = own.stands_for, own.cell.source
            if number in self.locked and source not in (self.given(number), self.locked[number]):
                before, text, after = cut(source, self.given(number))
                if not text and not asked & defined(source):
                    before = ""  # a test made easier, say
                place = self.owns.index(own)
                pieces = [Own(new_code_cell(text.strip())) for text in (before, after)]
                pieces.insert(1, own)
                kept = [piece for piece in pieces if piece is own or piece.cell.source]
                self.owns[place : place + 1] = kept
                self.findings.append(
                    f"The locked cell {self.graded[number]} had been changed; it is as it was "
                    f"released{', and code added to it has a cell of its own' * (len(kept) > 1)}."
                )
            elif number not in self.locked and own.cell.cell_type == "code":
                for lost in gone:
                    before, text, after = cut(own.cell.source, self.given(lost))
                    if text:
                        own.cell.source = f"{before.rstrip()}\n\n{after.lstrip()}".strip()
                        self.parted.append(lost)
                        self.findings.append(
                            f"The cell {self.graded[lost]} had been merged with another; "
                            "they are two again."
                        )

    def find_lost_answers(self):
        """An answer whose cell is gone: in a cell that defines the same name, or in its place."""
        for number in self.missing(self.answers):
            free = [own for own in self.owns if self.is_free(own)]
            if self.released[number].cell_type == "code":
                wanted = defined(self.given(number))
                found = [own for own in free if wanted & self.defined_by_student(own)]
                own = found[-1] if found else None  # as in Python, the last definition counts
            else:
                first, last = self.gap(number)
                free = [own for own in self.owns[first:last] if own in free]
                texts = [own for own in free if own.cell.cell_type == "markdown"]
                own = max(texts, key=lambda own: len(own.cell.source), default=None)
            if own:
                own.stands_for = number
                self.findings.append(
                    f"The answer {self.graded[number]} had lost its cell; "
                    "another cell of the notebook was taken for it."
                )

    def is_free(self, own):
        """Whether it stands for nothing, or for a lecture cell that was written into."""
        number = own.stands_for
        return number is None or (
            number not in self.graded and not same(own.cell.source, self.given(number))
        )

    def defined_by_student(self, own):
        if own.cell.cell_type == "markdown":
            return set()
        before = set() if own.stands_for is None else defined(self.given(own.stands_for))
        return defined(own.cell.source) - before

    def gap(self, number):
        """(first, last) place in the notebook where a released cell may go.

        Neighbors that nbgrader knows decide; between them, lecture cells do.
        """
        first, last = 0, len(self.owns)
        for deciding in (self.graded, range(len(self.released))):
            for place in range(first, last):
                stands_for = self.owns[place].stands_for
                if stands_for in deciding and stands_for < number:
                    first = place + 1
            for place in reversed(range(first, last)):
                stands_for = self.owns[place].stands_for
                if stands_for in deciding and stands_for > number:
                    last = place
        return first, last

    def rejoin(self):
        """An answer split in two cells that are Python only together."""
        for own in [own for own in self.owns if own.stands_for in self.answers]:
            place = self.owns.index(own)
            for first in (place - 1, place):
                pair = self.owns[max(first, 0) : first + 2]
                if self.is_split(pair):
                    own.cell.source = "\n".join(each.cell.source for each in pair)
                    self.owns = [each for each in self.owns if each is own or each not in pair]
                    self.findings.append(
                        f"The answer {self.graded[own.stands_for]} had been split in two cells; "
                        "they are one again."
                    )
                    break

    def is_split(self, pair):
        sources = [own.cell.source for own in pair]
        return (
            [own.cell.cell_type for own in pair] == ["code", "code"]
            and any(own.stands_for is None for own in pair)
            and not all(map(parses, sources))
            and parses("\n".join(sources))
        )

    def order(self):
        """Bring nbgrader's cells into the order of the release, and put back what is missing."""
        present = [own for own in self.owns if own.stands_for in self.graded]
        stay = longest_rise([own.stands_for for own in present])
        moved = [own for own in present if own.stands_for not in stay]
        lost = self.missing(self.graded)
        self.owns = [own for own in self.owns if own not in moved]
        new = [Own(deepcopy(self.released[number]), number) for number in lost]
        for own in sorted(moved + new, key=lambda own: own.stands_for):
            if own in new:
                self.say_elsewhere(own)
            first, last = self.gap(own.stands_for)
            # a test comes after the helpers that the student wrote for the answer
            place = last if is_test(self.released[own.stands_for]) else first
            self.owns.insert(place, own)
        if moved:
            names = listed(self.graded[own.stands_for] for own in moved)
            self.findings.append(f"Out of place, and put back in order: {names}.")
        if lost := [number for number in lost if number not in self.parted]:
            names = listed(self.graded[number] for number in lost)
            self.findings.append(f"Missing, and put back as released: {names}.")

    def say_elsewhere(self, own):
        """Where the cell of another answer holds this one too, the stub must not undo it."""
        wanted = defined(own.cell.source) if own.stands_for in self.answers else set()
        for other in self.owns:
            if wanted and other.stands_for in self.answers and wanted <= defined(other.cell.source):
                own.cell.source = f"# This answer stands in {self.graded[other.stands_for]}."

    def dressed(self, sources):
        """Its cells, each with the metadata and the id that it has in the release, or with none."""
        for place, own in enumerate(self.owns):
            cell, number = own.cell, own.stands_for
            if number is None:
                cell.metadata, cell.id = NotebookNode(), f"own-{place}"
                continue
            was = self.released[number]
            if number in self.graded:
                kind, source, is_locked = sources[self.graded[number]]
                source = source if is_locked else cell.source
                if cell.cell_type != kind or is_locked:
                    own.cell = cell = NEW_CELL[kind](source)
            cell.metadata, cell.id = deepcopy(was.metadata), was.get("id", f"given-{number}")
        return [own.cell for own in self.owns]

    def look_at_kernel(self, metadata):
        metadata = metadata if isinstance(metadata, dict) else {}
        kernel = metadata.get("kernelspec")
        if not isinstance(kernel, dict) or not kernel.get("name"):
            self.findings.append("The notebook did not say which kernel it needs; it has ours.")
        elif str(kernel.get("language", "python")).lower() != "python":
            self.findings.append("The notebook asked for a kernel that is not Python; it has ours.")


def same(source, other):
    return source.strip() == other.strip()


def same_id(cell, released):
    return (cell.get("id"), cell.cell_type) == (released.get("id", ""), released.cell_type)


def same_source(cell, released):
    return cell.cell_type == released.cell_type and same(cell.source, released.source)


def cut(source, text):
    """(before, text, after); text is empty where the source does not hold it."""
    return source.partition(text.strip()) if text.strip() else (source, "", "")


def defined(source):
    """Names that a cell defines at its margin."""
    return {name for names in DEFINES.findall(source) for name in names if name}


def parses(source):
    """Whether it is Python by itself; IPython would also take what is all indented."""
    try:
        ast.parse(TransformerManager().transform_cell(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return not source.lstrip("\n").startswith((" ", "\t"))


def longest_rise(numbers):
    """The longest rising subsequence of different numbers, as a set; the first such."""
    best = []  # for each place, the longest that ends there
    for place, number in enumerate(numbers):
        before = [run for run in best[:place] if run[-1] < number]
        best.append([*max(before, key=len, default=[]), number])
    return set(max(best, key=len, default=[]))


def listed(names, most=6):
    """Names in a row, the rest as a number."""
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
