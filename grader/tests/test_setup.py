"""pyproject.toml, constraints.txt and environment.yml say the same, and it is what is installed."""

import re
import tomllib
from importlib import metadata

import yaml

from grader.course import CHECKOUT

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
NAME = re.compile(r"[A-Za-z0-9._-]+")


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def constraints():
    lines = (CHECKOUT / "constraints.txt").read_text().splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonical(name): version for name, version in pins}


def wanted():
    extras = PROJECT["optional-dependencies"]
    every = PROJECT["dependencies"] + [name for group in extras.values() for name in group]
    names = {canonical(NAME.match(requirement).group()) for requirement in every}
    return names - {"deep-learning-course"}  # it asks for extras of its own


def test_is_everything_that_the_project_wants_pinned():
    assert wanted() <= set(constraints())


def test_is_torch_pinned_to_the_build_that_was_tested():
    assert constraints()["torch"] == "2.13.0"


def test_is_what_is_installed_what_the_constraints_say():
    wrong = {}
    for name in wanted():
        installed = metadata.version(name).split("+")[0]  # 2.13.0+cpu is 2.13.0
        if installed != constraints()[name]:
            wrong[name] = installed
    assert not wrong


def test_does_conda_install_the_same_things():
    environment = yaml.safe_load((CHECKOUT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    assert pip["pip"] == ["-c constraints.txt", "setuptools", "-e .[dev]"]
    (python,) = (entry for entry in conda if entry.startswith("python"))
    assert PROJECT["requires-python"] in python  # ">=3.11" in "python>=3.11,<3.14"
    assert environment["name"] in (CHECKOUT / "Makefile").read_text()
