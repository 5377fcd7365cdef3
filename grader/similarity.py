"""Which submissions of a unit share code that nobody gave them, for a person to look at.

Winnowing, as MOSS does it (Schleimer, Wilkerson and Aiken, SIGMOD 2003): the code as tokens, in
which own names are all alike and comments and strings are gone; a hash of every run of K tokens;
of every W hashes in a row the smallest is kept. So any shared run of K + W - 1 tokens is found,
however its variables are called and wherever its function stands. Left out is what the course
gave, its solutions among it, and what many of the class share.
"""

import builtins
import hashlib
import io
import keyword
import tokenize
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import combinations

import nbformat
from jinja2 import Environment, PackageLoader
from markupsafe import Markup, escape

from grader.course import unit_title
from grader.gradebook import people

K = 14  # tokens of a run that counts as shared
W = 6  # hashes of which one is kept
FEW = 0.2  # of the class, or three people: what more of them share is common knowledge
LEAST = 60  # shared tokens, about six lines: shorter answers look alike by themselves
MOST_PAIRS = 30  # on a page
SILENT = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
    tokenize.ENDMARKER, tokenize.STRING,
} | {getattr(tokenize, f"FSTRING_{part}", None) for part in ("START", "MIDDLE", "END")}  # fmt: skip
KEPT_NAMES = set(keyword.kwlist) | set(dir(builtins))


@dataclass(frozen=True)
class Token:
    word: str
    start: tuple[int, int]  # line from 1, column from 0
    end: tuple[int, int]


@dataclass(frozen=True)
class Pair:
    """Two students, the code that they share, and what share of their own code it is."""

    students: tuple[str, str]
    shares: tuple[float, float]
    tokens: int  # shared, in the one that has fewer
    marks: tuple[list, list]  # for each: [(source, indices of shared tokens)] of cells with any


def tokens_of(source):
    """The tokens that carry meaning; as far as it is Python."""
    found = []
    try:
        for kind, word, start, end, _ in tokenize.generate_tokens(io.StringIO(source).readline):
            if kind in SILENT:
                continue
            own = kind == tokenize.NAME and word not in KEPT_NAMES
            if own and not (found and found[-1].word == "."):  # nobody renames np.exp's exp
                word = "name"
            found.append(Token(word, start, end))
    except (tokenize.TokenError, SyntaxError):
        pass
    return found


def runs(tokens):
    """A hash of every run of K tokens, by its place."""
    words = [token.word for token in tokens]
    return [digest(words[i : i + K]) for i in range(len(words) - K + 1)]


def digest(words):
    return hashlib.blake2b(" ".join(words).encode(), digest_size=8).digest()


def winnow(hashes):
    """The smallest of every W hashes in a row."""
    return {min(hashes[i : i + W]) for i in range(max(1, len(hashes) - W + 1))} if hashes else set()


def compare(work, given):
    """The pairs of students whose code shares most, the most first.

    work   : {student: sources of the cells that the student wrote or changed}
    given  : sources that are no evidence: the release and the solutions
    returns: list of Pair
    """
    cells = {
        student: [(source, tokens := tokens_of(source), runs(tokens)) for source in sources]
        for student, sources in work.items()
    }
    everybody = {s: set().union(*(hashes for *_, hashes in own)) for s, own in cells.items()}
    holders = Counter(run for own in everybody.values() for run in own)
    common = set().union(*(runs(tokens_of(source)) for source in given))
    common |= {run for run, n in holders.items() if n > few(work)}
    index = defaultdict(set)
    for student, own in cells.items():
        for *_, hashes in own:
            for run in winnow([run for run in hashes if run not in common]):
                index[run].add(student)
    suspects = {pair for held in index.values() for pair in combinations(sorted(held), 2)}
    pairs = []
    for pair in suspects:
        shared = (everybody[pair[0]] & everybody[pair[1]]) - common
        marks = tuple(marked(cells[student], shared) for student in pair)
        numbers = [sum(len(places) for _, places in own) for own in marks]
        if min(numbers) >= LEAST:
            sizes = [sum(len(tokens) for _, tokens, _ in cells[student]) for student in pair]
            shares = tuple(n / size for n, size in zip(numbers, sizes, strict=True))
            pairs.append(Pair(pair, shares, min(numbers), marks))
    return sorted(pairs, key=lambda pair: (-pair.tokens, pair.students))


def few(work):
    """How many may share what counts."""
    return max(3, int(FEW * len(work)))


def marked(cells, shared):
    """[(source, indices of the tokens that lie in a shared run)] of the cells that have any."""
    found = []
    for source, _, hashes in cells:
        places = {i + j for i, run in enumerate(hashes) if run in shared for j in range(K)}
        if places:
            found.append((source, places))
    return found


def with_marks(source, places):
    """The source as HTML with the shared tokens marked, one mark for neighbors."""
    tokens, lines = tokens_of(source), source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    page, at = Markup(""), 0
    for i in sorted(places):
        if i - 1 in places:
            continue
        last = i
        while last + 1 in places:
            last += 1
        begin = starts[tokens[i].start[0] - 1] + tokens[i].start[1]
        end = starts[tokens[last].end[0] - 1] + tokens[last].end[1]
        page += escape(source[at:begin]) + Markup("<mark>") + escape(source[begin:end])
        page += Markup("</mark>")
        at = end
    return page + escape(source[at:])


def student_work(course, unit, given):
    """{student: sources of the code cells that are not as they were given}"""
    work = defaultdict(list)
    for path in sorted(course.submitted.glob(f"*/{unit}/*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code" and cell.source not in given:
                work[path.parts[-3]].append(cell.source)
    return dict(work)


def given_code(course, unit):
    """Sources of all code cells of the release and of the solutions."""
    return {
        cell.source
        for folder in (course.release, course.solutions)
        for path in sorted((folder / unit).glob("*.ipynb"))
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code"
    }


def write_similarity(course, unit):
    """Write class/similarity/<unit>.html; returns (its path, the pairs on it)."""
    given = given_code(course, unit)
    work = student_work(course, unit, given)
    pairs = compare(work, given)
    known = people(course)
    pages = Environment(loader=PackageLoader("grader"), autoescape=True, trim_blocks=True)
    page = pages.get_template("similarity.html").render(
        title=unit_title(unit),
        students=len(work),
        pairs=pairs[:MOST_PAIRS],
        left_out=len(pairs[MOST_PAIRS:]),
        name=lambda student: known[student].name if student in known else student,
        with_marks=with_marks,
        least=LEAST,
        few=few(work),
    )
    path = course.classroom / "similarity" / f"{unit}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path, pairs
