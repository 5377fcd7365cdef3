"""Execute the notebooks of solutions/ and store their outputs, the same on every machine.

What a run leaves that would differ next time is taken out: ids of widgets (their picture stays),
times of execution, the version of the interpreter.
"""

import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert.filters import strip_ansi

from grader.course import CourseError
from grader.release import source_units

WIDGET = "application/vnd.jupyter.widget-view+json"


def source_notebooks(course, unit=None):
    """The notebooks of solutions/, of one unit where one is named."""
    pattern = f"{course.unit(unit, among=source_units(course))}/*.ipynb" if unit else "*/*.ipynb"
    return sorted(
        path for path in course.solutions.glob(pattern) if ".ipynb_checkpoints" not in path.parts
    )


def execute_and_store(paths):
    """Execute notebooks side by side, write them back; yield (path, seconds) as each is done."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = {pool.submit(execute_one, path): path for path in paths}
        for job in as_completed(jobs):
            yield jobs[job], job.result()


def execute_one(path):
    """Execute one notebook in place; seconds it took."""
    notebook = nbformat.read(path, as_version=4)
    started = time.perf_counter()
    client = NotebookClient(
        notebook,
        timeout=300,
        coalesce_streams=True,  # in how many pieces a text arrived is chance
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": path.parent}},
    )
    try:
        client.execute(env=os.environ | {"OMP_NUM_THREADS": "1", "COURSE_PROGRESS": "off"})
    except CellExecutionError as error:
        lines = strip_ansi(str(error)).strip().splitlines()
        raise CourseError(f"{path.name} stopped: {lines[-1]}\n" + "\n".join(lines)) from None
    seconds = time.perf_counter() - started
    nbformat.write(steady(notebook), path)
    return seconds


def steady(notebook):
    """The notebook without what changes from run to run."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                data.pop(WIDGET, None)
    return notebook
