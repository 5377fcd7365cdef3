"""The course as a student meets it: JupyterLab in a real Chromium.

A later unit is one line more in NOTEBOOKS. Screenshots are kept in screenshots/.
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from grader.course import CHECKOUT, Course
from grader.demo import answer_notebook, perfect
from grader.gradebook import scores

playwright = pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.browser

TOKEN = "browser-test"
ESSAY_UNIT, ESSAY = "01_neighbors_and_linear_classifiers", "essay_knn_or_linear"
PICTURES = CHECKOUT / "screenshots"
NOTEBOOKS = [
    "00_start_here/start_here",
    "01_neighbors_and_linear_classifiers/1_nearest_neighbors",
    "01_neighbors_and_linear_classifiers/2_linear_classifiers",
    "01_neighbors_and_linear_classifiers/3_training_and_data",
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab as `make lab` starts it, on a copy of what a student is given; its address."""
    desk = tmp_path_factory.mktemp("desk")
    shutil.copytree(CHECKOUT / "course", desk / "course")
    with running_lab(desk) as address:
        yield address


@pytest.fixture(scope="module")
def office(tmp_path_factory, released):
    """JupyterLab of an instructor to whom ada has handed in unit 01; its address, its course."""
    course = Course(tmp_path_factory.mktemp("office") / "course")
    shutil.copytree(released.root, course.root)
    folder = course.submitted / "ada" / ESSAY_UNIT
    shutil.copytree(course.release / ESSAY_UNIT, folder)
    for path in folder.glob("*.ipynb"):
        answer_notebook(path, course.solutions / ESSAY_UNIT / path.name, perfect)
    with running_lab(course.root) as address:
        yield address, course


@contextlib.contextmanager
def running_lab(desk):
    """JupyterLab in this folder, with the settings of the checkout; its address."""
    for name in ("jupyter_lab_config.py", "nbgrader_config.py"):
        shutil.copy(CHECKOUT / name, desk)
    # keep every cell in the page, also those out of sight
    settings = desk / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    beside = Path(sys.executable).parent
    environment = os.environ | {
        "COURSE_PROGRESS": str(desk / "progress.json"),
        "JUPYTER_CONFIG_DIR": str(desk / "config"),
        "JUPYTERLAB_SETTINGS_DIR": str(desk / "settings"),
        "JUPYTER_RUNTIME_DIR": str(desk / "runtime"),
        "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}",
    }
    command = [beside / "jupyter", "lab", "--config=jupyter_lab_config.py", "--no-browser"]
    command += [f"--ServerApp.port={port}", f"--IdentityProvider.token={TOKEN}"]
    log = (desk / "lab.log").open("w")
    server = subprocess.Popen(command, cwd=desk, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_up(f"{address}/api/status?token={TOKEN}", server)
        yield address
    finally:
        server.terminate()
        server.wait(20)


def wait_until_up(address, server):
    for _ in range(120):
        assert server.poll() is None, "JupyterLab stopped"
        try:
            with urllib.request.urlopen(address):
                return
        except OSError:
            time.sleep(0.25)
    raise TimeoutError(address)


@pytest.fixture(scope="module")
def chromium():
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "the browser test needs Chromium: sudo apt-get install chromium"
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium):
    page = chromium.new_page(viewport={"width": 1300, "height": 1000})
    page.set_default_timeout(30_000)
    yield page
    page.close()


def picture(page, name):
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png")


def open_notebook(page, lab, name):
    page.goto(f"{lab}/lab/tree/course/{name}.ipynb?token={TOKEN}&reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.wait_for_selector(".jp-NotebookPanel-toolbar [data-status='idle']")


def run_all(page):
    """Run > Run All Cells in the new kernel, and wait until the last one is done."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    last = page.locator(".jp-CodeCell .jp-InputPrompt").last
    last.scroll_into_view_if_needed()
    playwright.expect(last).to_have_text(re.compile(r"\[\d+\]:"), timeout=150_000)


def cell_with(page, text):
    return page.locator(".jp-CodeCell", has_text=text).first


def run_cell(page, cell, source=None):
    """Run one cell, with new source where some is given, and wait for its number."""
    editor = cell.locator(".cm-content")
    editor.click()
    if source is not None:
        page.keyboard.press("Control+A")
        page.keyboard.insert_text(source)
    prompt = cell.locator(".jp-InputPrompt")
    before = prompt.inner_text()
    page.keyboard.press("Control+Enter")
    page.wait_for_function(
        "([prompt, before]) => /\\[\\d+\\]/.test(prompt.innerText) && prompt.innerText != before",
        arg=[prompt.element_handle(), before],
    )


def test_does_make_lab_open_at_the_first_unit(page, lab):
    """First of all, while JupyterLab has no earlier work to restore."""
    page.goto(f"{lab}/?token={TOKEN}")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    first = Course().notebooks(Course().units[0])[0]
    playwright.expect(page.locator(".lm-TabBar-tab.jp-mod-current").first).to_contain_text(
        first.name
    )
    picture(page, "make-lab")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_does_everything_run_and_every_kind_of_control_move_its_picture(page, lab, name):
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    open_notebook(page, lab, name)
    assert page.locator(".jp-Dialog").count() == 0
    assert page.locator(".Toastify__toast").count() == 0
    run_all(page)

    picture(page, f"{name.replace('/', '-')}-ran")
    panels = page.locator(".jp-OutputArea-output .course-panel")
    assert panels.count() > 0
    for number in range(panels.count()):
        panel = panels.nth(number)
        panel.scroll_into_view_if_needed()
        playwright.expect(panel.locator("img")).to_be_visible()
        kinds = [kind for kind in MOVES if panel.locator(kind).count()]
        assert kinds, "a panel without a control that this test can move"
        for kind in kinds:
            before = panel.locator("img").get_attribute("src")
            MOVES[kind](page, panel.locator(kind).first)
            playwright.expect(panel.locator("img")).not_to_have_attribute("src", before)
        picture(page, f"{name.replace('/', '-')}-panel{number + 1}")

    errors = page.locator(".jp-OutputArea-output[data-mime-type*='stderr']").all_inner_texts()
    assert problems == []
    assert [error for error in errors if "CheckFailed" not in error and "✗" not in error] == []


def slide(page, handle):
    handle.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")


def choose_last(page, menu):
    options = menu.locator("option").all_inner_texts()
    menu.select_option(options[-1])


def type_shape(page, box):
    box.fill("(2, 5, 3)")
    box.press("Enter")
    box.blur()


MOVES = {  # each kind of control that a panel may have, and how a person moves it
    "[role=slider]": slide,
    "select": choose_last,
    "input[list]": type_shape,
    "input[type=checkbox]": lambda page, box: box.click(),
    ".widget-toggle-buttons button:not(.mod-active)": lambda page, button: button.click(),
}


def test_is_a_wrong_answer_explained_and_a_right_one_accepted(page, lab):
    name = "01_neighbors_and_linear_classifiers/2_linear_classifiers"
    open_notebook(page, lab, name)
    run_cell(page, page.locator(".jp-CodeCell").first)  # the set-up
    answer = cell_with(page, "def softmax(scores)")
    check = cell_with(page, "check_softmax(softmax)")

    run_cell(page, check)
    playwright.expect(check.locator(".jp-OutputArea")).to_contain_text("softmax")

    wrong = "def softmax(scores):\n    return np.exp(scores) / np.exp(scores).sum()"
    run_cell(page, answer, wrong)
    run_cell(page, check)
    message = check.locator(".jp-OutputArea-output").last
    playwright.expect(message).to_contain_text("✗ softmax")
    assert "Traceback" not in message.inner_text()
    picture(page, "softmax-wrong")

    right = (
        "def softmax(scores):\n"
        "    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))\n"
        "    return powers / powers.sum(axis=-1, keepdims=True)"
    )
    run_cell(page, answer, right)
    run_cell(page, check)
    playwright.expect(message).to_contain_text("✓ softmax: all checks passed.")
    picture(page, "softmax-right")


def test_does_the_formgrader_grade_by_its_button_and_an_essay_by_hand(page, office):
    address, course = office
    page.goto(f"{address}/formgrader/manage_assignments?token={TOKEN}")
    page.goto(f"{address}/formgrader/manage_submissions/{ESSAY_UNIT}")
    page.locator("tr", has_text="ada").locator(".autograde a").click()
    page.get_by_text("Success").first.wait_for(timeout=120_000)
    page.keyboard.press("Escape")
    found = {row.exercise: row for row in scores(course)}
    assert found[ESSAY].by_hand and found[ESSAY].points == 0
    assert all(row.points == row.most for row in found.values() if row.exercise != ESSAY)
    picture(page, "formgrader-autograded")

    page.goto(f"{address}/formgrader/gradebook/{ESSAY_UNIT}/3_training_and_data")
    page.get_by_role("link", name="Submission #1").click()
    points = page.locator("input.score.needs_manual_grade")
    points.fill("3")
    with page.expect_response(lambda answer: answer.request.method == "PUT"):
        points.press("Tab")
    picture(page, "formgrader-essay")
    found = {row.exercise: row for row in scores(course)}
    assert found[ESSAY].points == 3 and not found[ESSAY].by_hand
