"""utils.reference and utils.gpu: the same files, the same names, the same arguments."""

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import utils.gpu
import utils.reference

UTILS = Path(utils.reference.__file__).parents[1]
TORCH_ALONE = {"architectures": "networks too large to train in NumPy"}
REFERENCE_ONLY = {"autodiff": "the engine is the lesson itself, and torch is its twin"}


def modules(package):
    return {m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_")}


def public(tree, module):
    """{name: object} of what a module defines itself: not its imports, not its private names."""
    module = importlib.import_module(f"utils.{tree}.{module}")
    names = [
        n for n in vars(module) if not n.startswith("_") and not inspect.ismodule(vars(module)[n])
    ]
    objects = {name: getattr(module, name) for name in names}
    return {
        n: o
        for n, o in objects.items()
        if getattr(o, "__module__", module.__name__) == module.__name__
    }


def with_twin(module):
    """What the reference defines, less what autograd does for the twin."""
    return {n: o for n, o in public("reference", module).items() if not n.endswith("_backward")}


def parameters(function):
    """[(name, default)], with what may differ made equal: rng and generator, a default's tree."""
    return [
        (
            p.name.replace("generator", "rng"),
            getattr(p.default, "__name__", p.default),
        )
        for p in inspect.signature(function).parameters.values()
    ]


MODULES = sorted(modules(utils.reference) - set(REFERENCE_ONLY))


def test_the_same_files():
    assert modules(utils.gpu) - set(TORCH_ALONE) == modules(utils.reference) - set(REFERENCE_ONLY)
    assert set(TORCH_ALONE) <= modules(utils.gpu)  # exceptions that are still needed
    assert set(REFERENCE_ONLY) <= modules(utils.reference)
    assert len(MODULES) >= 8


@pytest.mark.parametrize("module", MODULES)
def test_the_same_names(module):
    assert list(public("gpu", module)) == list(with_twin(module))


@pytest.mark.parametrize("module", MODULES)
def test_the_same_parameters(module):
    gpu, reference = public("gpu", module), with_twin(module)
    for name, function in reference.items():
        if inspect.isfunction(function):
            assert parameters(gpu[name]) == parameters(function), name
        else:
            assert list(gpu[name]) == list(function), name
    assert not any(
        "generator" in inspect.signature(f).parameters for f in reference.values() if callable(f)
    )
    assert not any("rng" in inspect.signature(f).parameters for f in gpu.values() if callable(f))


@pytest.mark.parametrize("module", MODULES)
def test_every_twin_names_its_original(module):
    for name, function in public("gpu", module).items():
        if inspect.isfunction(function):
            assert function.__doc__.startswith(f"Torch twin of utils.reference.{module}.{name}"), (
                name
            )


@pytest.mark.parametrize("module", [*MODULES, *REFERENCE_ONLY])
def test_every_original_has_a_docstring(module):
    for name, thing in public("reference", module).items():
        assert not callable(thing) or thing.__doc__, name


@pytest.mark.parametrize("tree, other", [("reference", "gpu"), ("gpu", "reference")])
def test_the_trees_import_neither_each_other_nor_the_grader(tree, other):
    for path in (UTILS / tree).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            imported = []
            if isinstance(node, ast.Import):
                imported = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level <= 1, path  # `from ..gpu import` would leave the tree
                imported = [node.module or ""]
            for name in imported:
                assert not name.startswith((f"utils.{other}", "grader")), f"{path} imports {name}"


@pytest.mark.parametrize(
    "package", ["utils", "utils.reference", "utils.data", "utils.figures", "utils.widgets"]
)
def test_no_torch_without_asking_for_it(package):
    if not (UTILS.parent / package.replace(".", "/")).is_dir():
        pytest.skip(f"{package} is not there yet")
    code = f"""
import importlib, pkgutil, sys
package = importlib.import_module("{package}")
if "{package}" != "utils":
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package}.{{module.name}}")
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], cwd=UTILS.parent, check=True)
