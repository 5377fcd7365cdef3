"""`make bench-grading`: one class, graded by plain nbgrader and by ours, in one run on one machine.

The class is made up and honest: everything right, half of it, typical mistakes, nothing at all, in
turn. Whoever works in the same way must get the same scores from both, else the run has failed.

plain: nbgrader's own Execute and SaveAutoGrades on our release, one submission after another in one
       process, as `nbgrader autograde` does it; the start of that command is not counted. It takes
       a minute a submission, so it is measured on one of each way of working, and the table says so
ours : grader.grading.grade, as `make grade` calls it; the start of its processes and the run of the
       instructor's solution are counted

Plain nbgrader runs every cell of a notebook, ours leaves out the lecture cells that no answer
needs: on a unit with long lectures that is most of the difference.

Otter-grader is not compared. `otter run` wants the notebook's tests in a format of its own, in
which seeds that differ per student, verdicts from outside the student's process, and essays have no
counterpart: it would grade the same answers by other, weaker tests.
"""

import contextlib
import os
import platform
import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from unittest.mock import patch

from nbgrader.apps import NbGraderAPI
from rich.table import Table
from traitlets.config import Config

from grader.course import Course, CourseError
from grader.demo import answer_notebook, half, mistaken, perfect, untouched
from grader.gradebook import scores
from grader.grading import grade, submissions
from grader.release import make_release
from grader.sandbox.bubblewrap import NOBODY, STEP_DOWN

UNIT = "01_neighbors_and_linear_classifiers"
HONEST = (perfect, half, mistaken, untouched)
PLAIN_STEPS = {
    "grader.autograde.GradingExecute": "nbgrader.preprocessors.Execute",
    "grader.autograde.SaveVerdicts": "nbgrader.preprocessors.SaveAutoGrades",
}
KEPT = Path(__file__).with_suffix(".md")
POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@dataclass(frozen=True)
class Run:
    """How one way of grading did."""

    name: str
    seconds: tuple[float, ...]  # of each submission
    wall: float  # of all of them

    @property
    def per_minute(self):
        return 60 * len(self.seconds) / self.wall


def run_benchmark(students, follow, cluster=None, database=None):
    """Grade a class both ways; with a cluster or a database named, by ours only, here and there.

    students: how many
    follow  : draws a bar while it gives back all that an iterator yields
    cluster : address of a Dask scheduler, or "local" for one of this machine, a worker a core
    database: address for SQLAlchemy, or "postgres" for a server of its own
    returns : [Run], the first one on one submission of each way of working
    raises  : CourseError, if a score is missing, doubled or not the one of the first run
    """
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        sample, whole = Course(folder / "sample"), Course(folder / "whole")
        shutil.copytree(Course().solutions / UNIT, sample.solutions / UNIT)
        follow(make_release(sample, [UNIT]), 1, "Releasing                ")
        shutil.copytree(sample.root, whole.root)
        make_class(sample, UNIT, min(students, len(HONEST)))
        make_class(whole, UNIT, students)
        if cluster or database:
            name = "ours, " + " and ".join(
                words for words, given in (("cluster", cluster), ("database", database)) if given
            )
            runs = [our_run(sample, "ours, one machine, SQLite", follow)]
        else:
            name, runs = "ours", [plain_run(sample, follow)]
        want = scores(sample)
        if database == "postgres":
            database = stack.enter_context(postgres_server())
        if database:
            stack.enter_context(patch.dict(os.environ, COURSE_DB=database))
            whole = Course(whole.root)  # reads its configuration anew
            follow(make_release(whole, [UNIT]), 1, "Releasing to the database")
        if cluster == "local":
            cluster = stack.enter_context(local_cluster())
        runs.append(our_run(whole, name, follow, cluster))
        compare(want, scores(whole), students)
    return runs


def make_class(course, unit, students):
    """Submissions of so many students, who work in the honest ways in turn."""
    for number in range(students):
        folder = course.submitted / f"s{number:04}" / unit
        shutil.copytree(course.release / unit, folder)
        for path in folder.glob("*.ipynb"):
            source = course.solutions / unit / path.name
            answer_notebook(path, source, HONEST[number % len(HONEST)])


def plain_config(course):
    """nbgrader's configuration of the course, with nbgrader's own steps in place of ours."""
    config = Config(course.config)
    steps = config.Autograde.autograde_preprocessors
    config.Autograde.autograde_preprocessors = [PLAIN_STEPS.get(step, step) for step in steps]
    config.Autograde.sanitize_preprocessors = [
        step for step in config.Autograde.sanitize_preprocessors if not step.startswith("grader.")
    ]
    config.Execute.timeout = 300
    return config


def plain_run(course, follow):
    api = NbGraderAPI(config=plain_config(course))
    todo = submissions(course)

    def steps():
        for student, unit in todo:
            start = time.monotonic()
            result = api.autograde(unit, student)
            if not result["success"]:
                raise CourseError(f"plain nbgrader failed: {result['log']}")
            yield time.monotonic() - start

    seconds = follow(steps(), len(todo), "Grading, plain nbgrader  ")
    return Run("plain nbgrader", tuple(seconds), sum(seconds))


def our_run(course, name, follow, cluster=None):
    todo = submissions(course)
    start = time.monotonic()
    results = follow(grade(course, todo, cluster=cluster), len(todo), "Grading, ours            ")
    wall = time.monotonic() - start
    for result in results:
        if result.problem:
            raise CourseError(f"{result.student}: {result.problem}")
    return Run(name, tuple(result.seconds for result in results), wall)


def compare(want, got, students):
    """Whoever works in the same way has the same scores, whoever graded."""
    for number in range(students):
        right = rows_of(want, f"s{number % len(HONEST):04}")
        found = rows_of(got, f"s{number:04}")
        if not right or found != right:
            wrong = sorted(set(found) - set(right)) or "some are doubled"
            lost = sorted(set(right) - set(found)) or "none"
            raise CourseError(f"s{number:04} has other scores than its twin: {wrong}, not {lost}.")


def rows_of(rows, student):
    return [(row.exercise, row.points, row.by_hand) for row in rows if row.student == student]


@contextlib.contextmanager
def local_cluster(workers=None):
    """A Dask scheduler and workers of this machine; yields its address."""
    from distributed import LocalCluster

    workers = workers or os.cpu_count()
    with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


@contextlib.contextmanager
def postgres_server():
    """A PostgreSQL server of its own, reached through a socket; yields its address."""
    if not POSTGRES:
        raise CourseError("There is no PostgreSQL here: sudo apt-get install postgresql")
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        as_user = ()
        if os.geteuid() == 0:  # it refuses to run as root
            os.chown(folder, NOBODY, NOBODY)
            as_user = STEP_DOWN

        def run(tool, *words):
            command = [*as_user, POSTGRES[-1] / tool, "-D", f"{folder}/data", *words]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)

        run("initdb", "--auth=trust", "--username=course", "--no-sync")
        run("pg_ctl", "start", "-w", "-l", f"{folder}/log", "-o", f"-k {folder} -h ''")
        try:
            yield f"postgresql+psycopg://course@/postgres?host={folder}"
        finally:
            run("pg_ctl", "stop", "-m", "immediate")


def result_table(runs):
    table = Table("", "submissions", "per minute", "median s", "worst s", "times the first")
    for row in rows(runs):
        table.add_row(*row)
    return table


def rows(runs):
    for run in runs:
        yield (
            run.name,
            str(len(run.seconds)),
            f"{run.per_minute:.1f}",
            f"{statistics.median(run.seconds):.2f}",
            f"{max(run.seconds):.2f}",
            f"{run.per_minute / runs[0].per_minute:.1f}",
        )


def keep_table(runs):
    """Write grader/benchmark.md: the table, the machine, versions, the day."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("nbgrader", "ipykernel", "torch"))
    lines = [
        "# Grading: plain nbgrader and ours, side by side in one run",
        "",
        f"`make bench-grading`, {time.strftime('%Y-%m-%d')}: {machine()}; Python "
        f"{platform.python_version()}, {packages}. What is measured, and how: the docstring of "
        "`benchmark.py`. All scores were the same.",
        "",
        "| | submissions | per minute | median s | worst s | times the first |",
        "|---|---|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows(runs)),
    ]
    KEPT.write_text("\n".join(lines) + "\n", encoding="utf-8")


def machine():
    """The machine in words: cores, processor, memory, how busy it was."""
    facts = Path("/proc/cpuinfo").read_text()
    names = [line.split(":")[1].strip() for line in facts.splitlines() if "model name" in line]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    model = names[0] if names else platform.machine()
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GB, load {os.getloadavg()[1]:.1f}"
