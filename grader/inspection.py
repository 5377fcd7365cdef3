"""A look at the source of a submission, for a person: what smells of evasion or of a ready-made
answer. It changes no score; the sandbox and the judge do not need it.
"""

import ast

from IPython.core.inputtransformer2 import TransformerManager

from grader.cells import is_test

MODULES = {
    "builtins", "code", "codecs", "ctypes", "gc", "grader", "importlib", "inspect", "IPython",
    "linecache", "marshal", "multiprocessing", "os", "pathlib", "pickle", "pkgutil", "runpy",
    "shutil", "signal", "socket", "subprocess", "sys", "tempfile", "threading", "traceback",
}  # fmt: skip
CALLS = {"__import__", "compile", "eval", "exec", "get_ipython", "globals", "input", "open", "vars"}
ATTRIBUTES = {
    "__builtins__", "__closure__", "__code__", "__dict__", "__globals__", "__loader__",
    "__subclasses__", "_getframe", "currentframe", "f_back", "f_globals", "f_locals", "modules",
    "tb_frame",
}  # fmt: skip
MAGICS = {"run_cell_magic", "run_line_magic", "system", "getoutput"}  # what % and ! become

# ready-made answers: {part of an exercise's name: names in libraries that do what it asks for}
READY_MADE = {
    "adam": "Adam AdamW NAdam",
    "attention": "scaled_dot_product_attention MultiheadAttention multi_head_attention_forward",
    "batch_norm": "batch_norm BatchNorm1d BatchNorm2d",
    "conv": "conv2d Conv2d convolve convolve2d correlate correlate2d unfold Unfold fftconvolve",
    "cross_entropy": "cross_entropy CrossEntropyLoss nll_loss NLLLoss log_loss",
    "distances": "cdist pdist pairwise_distances euclidean_distances",
    "grad_cam": "LayerGradCam GradCAM",
    "gradient": "approx_fprime check_grad approx_derivative gradcheck jacobian",
    "gru": "GRU GRUCell",
    "k_fold": "KFold StratifiedKFold cross_val_score",
    "knn": "KNeighborsClassifier NearestNeighbors KDTree cdist",
    "layer_norm": "layer_norm LayerNorm",
    "lime": "LimeImageExplainer Lime Ridge",
    "lstm": "LSTM LSTMCell",
    "occlusion": "Occlusion",
    "pca": "PCA TruncatedSVD",
    "perceptron": "Perceptron SGDClassifier",
    "pool": "max_pool2d MaxPool2d avg_pool2d AvgPool2d block_reduce",
    "rnn": "RNN RNNCell",
    "saliency": "Saliency NoiseTunnel",
    "softmax": "softmax log_softmax logsumexp Softmax LogSoftmax",
    "standardize": "StandardScaler scale zscore",
    "whiten": "PCA whiten ZCA",
}


def look_at(notebook, stubs, exercises):
    """What a person should look at: [(cell number, line, remark)].

    notebook : the submission
    stubs    : sources of the release: what was given is not looked at
    exercises: names of the notebook's exercises
    """
    ready_made = {
        name: exercise
        for exercise in reversed(exercises)  # the first one asks for it
        for part, names in READY_MADE.items()
        if part in exercise
        for name in names.split()
    }
    remarks = []
    for number, cell in enumerate(notebook.cells, start=1):
        # a test is the instructor's, with its hidden lines put back
        if cell.cell_type == "code" and cell.source not in stubs and not is_test(cell):
            found = dict.fromkeys(in_source(cell.source, ready_made))
            remarks += [(number, line, remark) for line, remark in found]
    return remarks


def in_source(source, ready_made):
    """[(line, remark)] of one cell."""
    try:
        tree = ast.parse(TransformerManager().transform_cell(source))
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names]
            for module in modules:
                if module.split(".")[0] in MODULES:
                    yield line, f"imports {module}"
        word = name_of(node)
        if word in CALLS and isinstance(node, ast.Name):
            yield line, f"uses {word}"
        elif word in MAGICS:
            yield line, "a magic or a shell command"
        elif word in ATTRIBUTES and isinstance(node, ast.Attribute):
            yield line, f"reaches for .{word}"
        elif isinstance(node, ast.Attribute) and word.startswith("_") and not dunder(word):
            yield line, f"a private name, .{word}"
        elif word in ready_made and not isinstance(getattr(node, "ctx", None), ast.Store):
            yield line, f"{word}: a ready-made answer to {ready_made[word]}?"


def name_of(node):
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id
    return node.name if isinstance(node, ast.alias) else ""


def dunder(name):
    return name.startswith("__") and name.endswith("__")
