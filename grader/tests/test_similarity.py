"""Shared code is found through its disguises, and honest short answers are left in peace."""

import nbformat
import pytest

from grader.similarity import compare, tokens_of, with_marks, write_similarity

ORIGINAL = [
    '''
def train(x, y, steps, lr):
    """Gradient descent on the logistic loss."""
    w = np.zeros(x.shape[1])
    b = 0.0
    for step in range(steps):
        scores = x @ w + b
        p = 1 / (1 + np.exp(-scores))
        dscores = (p - y) / len(y)  # the mean
        w -= lr * (x.T @ dscores)
        b -= lr * dscores.sum()
        if step % 10 == 0:
            loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
            history.append((step, loss))
    return w, b
''',
    """
def evaluate(x, y, w, b, threshold):
    guess = x @ w + b > threshold
    hits = np.sum(guess & (y == 1))
    precision = hits / max(np.sum(guess), 1)
    recall = hits / max(np.sum(y == 1), 1)
    return 2 * precision * recall / max(precision + recall, 1e-12)
""",
]
HONEST = """
def train(features, labels, steps, lr):
    weights = np.zeros(features.shape[1] + 1)
    padded = np.c_[features, np.ones(len(features))]
    losses = []
    while len(losses) < steps:
        margin = padded.dot(weights) * np.where(labels, 1, -1)
        losses.append(np.logaddexp(0, -margin).mean())
        slope = -np.where(labels, 1, -1) / (1 + np.exp(margin))
        weights = weights - lr * slope.dot(padded) / labels.size
    history.extend(zip(range(steps), losses))
    return weights[:-1], weights[-1]
"""
SHORT = [
    "def softmax(s):\n    e = np.exp(s - s.max(axis=1, keepdims=True))\n"
    "    return e / e.sum(axis=1, keepdims=True)",
    "def softmax(x):\n    z = np.exp(x - x.max(axis=1, keepdims=True))\n"
    "    return z / z.sum(axis=1, keepdims=True)",
]


def renamed(sources):
    words = {
        "scores": "zz",
        "dscores": "grad",
        "w": "theta",
        "x": "data",
        "hits": "tp",
        "p": "prob",
    }
    changed = []
    for source in sources:
        lines = source.splitlines(keepends=True)
        for token in reversed(list(token_places(source))):
            word, (line, begin), end = token
            if word in words:
                text = lines[line - 1]
                lines[line - 1] = text[:begin] + words[word] + text[end:]
        changed.append("".join(lines))
    return changed


def token_places(source):
    for token in tokens_of(source):
        line = source.splitlines()[token.start[0] - 1]
        yield line[token.start[1] : token.end[1]], token.start, token.end[1]


def reordered(sources):
    return list(reversed(sources))


def retold(sources):
    """Other comments, docstrings, blank lines and indentation."""
    return [
        source.replace("    ", "  ").replace("# the mean", "# averaged").replace("\n  b", "\n\n  b")
        for source in sources
    ]


def in_one_cell(sources):
    return ["import math\n" + "\n".join(sources)]


@pytest.mark.parametrize("disguise", [renamed, reordered, retold, in_one_cell])
def test_is_a_copy_found_through_its_disguise(disguise):
    copy = disguise(ORIGINAL)
    assert copy != ORIGINAL
    work = {"ada": ORIGINAL, "ben": copy, "cleo": [HONEST], "dan": [HONEST[: len(HONEST) // 2]]}
    pairs = compare(work, given=[])
    assert pairs[0].students == ("ada", "ben")
    assert min(pairs[0].shares) > 0.9
    assert not [pair for pair in pairs if {"ada", "cleo"} == set(pair.students)]


def test_is_an_honest_short_answer_left_in_peace():
    assert compare({"ada": [SHORT[0]], "ben": [SHORT[1]]}, given=[]) == []


def test_is_an_honest_long_answer_left_in_peace():
    assert compare({"ada": ORIGINAL, "ben": [HONEST, SHORT[0]]}, given=[]) == []


def test_is_given_code_no_evidence():
    assert compare({"ada": ORIGINAL, "ben": ORIGINAL}, given=renamed(ORIGINAL)) == []


def test_is_what_much_of_the_class_shares_no_evidence():
    assert compare({name: ORIGINAL for name in "abcdefgh"}, given=[]) == []


def test_does_code_that_is_no_python_stop_nothing():
    broken = "def f(:\n  '''never closed\n"
    assert (
        compare({"ada": [broken], "ben": [broken, "%matplotlib inline\n!ls", ""]}, given=[]) == []
    )


def test_are_marks_put_around_shared_tokens_only():
    source = "a = '<b>'\ncall(a, 1)  # why\nend"
    numbers = [i for i, token in enumerate(tokens_of(source)) if token.start[0] == 2]
    assert with_marks(source, set(numbers)) == (
        "a = &#39;&lt;b&gt;&#39;\n<mark>call(a, 1)</mark>  # why\nend"
    )


def test_does_the_page_show_the_pair_side_by_side(module_release):
    unit, notebook = "00_start_here", "start_here.ipynb"
    for student, sources in {"ada": ORIGINAL, "ben": renamed(ORIGINAL), "cleo": []}.items():
        folder = module_release.submitted / student / unit
        folder.mkdir(parents=True)
        nb = nbformat.read(module_release.release / unit / notebook, as_version=4)
        nb.cells += [nbformat.v4.new_code_cell(source + "# </pre><script>") for source in sources]
        nb.cells[-1].metadata["nbgrader"] = {"grade": True, "grade_id": "no answer of mine"}
        nb.cells[-2].metadata["nbgrader"] = "nor this"
        nbformat.write(nb, folder / notebook)
    path, pairs = write_similarity(module_release, unit)
    assert [pair.students for pair in pairs] == [("ada", "ben")]
    page = path.read_text()
    assert page.count("<mark>") >= 4
    assert "Short answers look alike" in page
    assert "<script>" not in page
