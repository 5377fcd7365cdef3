"""The commands behind the Makefile: `python -m grader <verb>`."""

import argparse
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from grader.course import Course, CourseError, printable

console = Console()


def shown(text):
    """Words that are not ours, as a console prints them: as they are, and no more than that."""
    return escape(printable(text))


def progress_bar():
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=console,
        disable=not console.is_terminal,
    )


def follow(steps, total, words):
    """Draw a bar while `steps` yields, and give back all that it yielded."""
    with progress_bar() as bar:
        task = bar.add_task(words, total=total)
        results = []
        for result in steps:
            results.append(result)
            bar.advance(task)
    if not console.is_terminal:  # a log gets one line in place of a bar
        console.print(f"{words.strip()}: {len(results)} of {total}", highlight=False)
    return results


def name_problems(results):
    """A line for each that went wrong; 1 if any did, as a process returns it."""
    for result in results:
        if result.problem:
            console.print(f"[red]✗[/] {result.student}, {result.unit}: {shown(result.problem)}")
    return 1 if any(result.problem for result in results) else 0


def progress(course, args):
    from grader.progress import print_board

    print_board(course, console)


def submit(course, args):
    from grader.submission import pack

    if not args.student or not args.unit:
        raise CourseError("Say who you are and which unit: make submit STUDENT=ada UNIT=00")
    parcel = pack(course, args.unit, args.student, course.root / "outbox")
    console.print(f"Packed for handing in: {parcel.relative_to(course.root)}", highlight=False)


def check_submission(course, args):
    from grader.selfcheck import check_units

    units = [course.unit(args.unit)] if args.unit else course.units
    checked = list(check_units(course, units))
    for one in checked:
        where = f"{one.unit}/{one.notebook}"
        if one.problem:
            console.print(f"[red]✗[/] {where}: {shown(one.problem)}", highlight=False)
        elif one.findings:
            console.print(f"[yellow]![/] {where}: grading will put this right", highlight=False)
        else:
            console.print(f"[green]✓[/] {where}: ready to hand in", highlight=False)
        for finding in one.findings:
            console.print(f"    {shown(finding)}", highlight=False)
    return 1 if any(one.problem for one in checked) else 0


def release(course, args):
    from grader.release import make_release, source_units

    units = source_units(course)
    if args.unit:
        units = [course.unit(args.unit, among=units)]
    for unit in follow(make_release(course, units), len(units), "Releasing"):
        console.print(f"course/{unit}", highlight=False)


def collect(course, args):
    from grader.gradebook import enroll
    from grader.submission import collect as collect_from

    if not args.folder:
        raise CourseError("Name the folder with the zip files that came in: make collect FROM=...")
    arrivals = list(collect_from(course, Path(args.folder), enroll(course)))
    for arrival in arrivals:
        if arrival.problem:
            console.print(f"[red]✗[/] {shown(arrival.parcel.name)}: {shown(arrival.problem)}")
        elif arrival.missing:
            console.print(f"! {shown(arrival.parcel.name)}: without {', '.join(arrival.missing)}")
        for finding in arrival.findings:
            console.print(f"! {shown(arrival.parcel.name)}: {shown(finding)}", highlight=False)
    refused = sum(bool(arrival.problem) for arrival in arrivals)
    console.print(
        f"{len(arrivals) - refused} of {len(arrivals)} parcels collected.", highlight=False
    )
    return 1 if refused else 0


def grade(course, args):
    from grader.grading import grade as grade_all
    from grader.grading import submissions
    from grader.report import class_table
    from grader.sandbox.zygote import UNSAFE

    if args.unsafe_no_sandbox:
        os.environ[UNSAFE] = "1"
        console.print("[yellow]Without a sandbox: students' code runs as you, on your files.[/]")
    unit = course.unit(args.unit) if args.unit else None
    todo = submissions(course, unit, args.student)
    steps = grade_all(course, todo, args.again, cluster=args.cluster)
    results = follow(steps, len(todo), "Grading")
    console.print(class_table(course))
    return name_problems(results)


def feedback(course, args):
    from grader.feedback import write_feedback
    from grader.grading import submissions

    unit = course.unit(args.unit) if args.unit else None
    todo = submissions(course, unit, args.student)
    failed = name_problems(follow(write_feedback(course, todo), len(todo), "Writing feedback"))
    console.print("Pages: class/feedback/<student>/index.html", highlight=False)
    return failed


def export(course, args):
    from grader.gradebook import scores, write_table
    from grader.pictures import class_picture
    from grader.platforms import write_canvas, write_moodle
    from grader.report import class_table

    if not scores(course):
        raise CourseError("Nothing is graded yet: `make grade` first.")
    write_table(course, course.classroom / "grades.csv")
    write_canvas(course, course.classroom / "canvas.csv")
    write_moodle(course, course.classroom / "moodle.csv")
    (course.classroom / "class.png").write_bytes(class_picture(course).png())
    console.print(class_table(course))
    console.print(
        "Written: class/grades.csv, class/canvas.csv, class/moodle.csv and class/class.png",
        highlight=False,
    )


def report(course, args):
    from grader.report import write_report

    write_report(course)
    console.print("The class on one page: class/report.html", highlight=False)


def trace(course, args):
    from grader.trace import print_trace

    if not args.student:
        raise CourseError("Say whose scores: make trace STUDENT=ada, or with UNIT=00")
    print_trace(course, console, args.student, course.unit(args.unit) if args.unit else None)


def regrade(course, args):
    from grader.grading import submissions
    from grader.regrade import apply, change_table, changes, look, pending
    from utils.figures.figure import plural

    todo = submissions(course, course.unit(args.unit) if args.unit else None, args.student)
    failed = name_problems(follow(look(course, todo), len(todo), "Looking again"))
    new = pending(course, todo)
    found = changes(course, new)
    if found:
        console.print(change_table(found))
    who = len({change.student for change in found})
    console.print(
        f"New verdicts on {len(new)} of {plural(len(todo), 'submission')}; "
        f"{plural(len(found), 'score')} of {plural(who, 'student')} would change.",
        highlight=False,
    )
    if new and not args.apply:
        console.print("Nothing is written yet. To write it: the same command with APPLY=1")
    elif new:
        failed |= name_problems(follow(apply(course, new), len(new), "Writing"))
        console.print("Feedback pages follow with `make feedback`.")
    return failed


def similarity(course, args):
    from grader.grading import submissions
    from grader.similarity import write_similarity

    if not args.unit:
        raise CourseError("Say which unit: make similarity UNIT=01")
    unit = course.unit(args.unit)
    submissions(course, unit)
    path, pairs = write_similarity(course, unit)
    console.print(
        f"Pairs that share code: {len(pairs)}. {path.relative_to(course.root)}", highlight=False
    )


def bundle(course, args):
    from grader.bundle import make_bundle

    path = make_bundle(course, course.root / "dist")
    console.print(f"For the class: {path.relative_to(course.root)}", highlight=False)


def outputs(course, args):
    from grader.outputs import execute_and_store, source_notebooks

    paths = source_notebooks(course, args.unit)
    for path, seconds in follow(execute_and_store(paths), len(paths), "Executing"):
        console.print(f"{path.relative_to(course.root)}  {seconds:.0f} s", highlight=False)


def demo(course, args):
    from grader.demo import run_demo

    run_demo(course, console, follow, name_problems)


def bench_grading(course, args):
    from grader.benchmark import keep_table, result_table, run_benchmark

    runs = run_benchmark(args.students, follow, args.cluster, args.db)
    console.print(result_table(runs))
    if args.keep:
        keep_table(runs)


VERBS = {
    "progress": (progress, "which exercises you have passed"),
    "check-submission": (check_submission, "whether your notebooks are fit to be handed in"),
    "submit": (submit, "pack a unit for handing in"),
    "release": (release, "write course/ from solutions/"),
    "collect": (collect, "take in the zip files that students sent"),
    "grade": (grade, "grade what was collected"),
    "feedback": (feedback, "write a page for every student"),
    "export": (export, "write the gradebook as CSV, also for Canvas and Moodle, and as a picture"),
    "report": (report, "write a page on the class"),
    "regrade": (regrade, "grade again after a check was mended; shows first what changes"),
    "trace": (trace, "show what every score of a student stands on"),
    "similarity": (similarity, "write a page on code that students of a unit share"),
    "bundle": (bundle, "pack what a class is given"),
    "outputs": (outputs, "execute the notebooks of solutions/ and store their outputs"),
    "bench-grading": (bench_grading, "grade a made-up class with plain nbgrader and with ours"),
    "demo": (demo, "run a made-up class through all of it"),
}

# beyond --unit and --student, which every command takes
OPTIONS = {
    "collect": {"--from": {"dest": "folder", "help": "the folder with the zip files"}},
    "grade": {
        "--again": {"action": "store_true", "help": "also what is graded"},
        "--cluster": {"help": "address of a Dask scheduler"},
        "--unsafe-no-sandbox": {
            "action": "store_true",
            "help": "run students' code unguarded where no sandbox can be built",
        },
    },
    "regrade": {"--apply": {"action": "store_true", "help": "write what changes"}},
    "bench-grading": {
        "--students": {"type": int, "default": 100, "help": "how many"},
        "--cluster": {"help": "address of a Dask scheduler, or local"},
        "--db": {"help": "address of a database, or postgres"},
        "--keep": {"action": "store_true", "help": "store the table"},
    },
}


def main(words=None):
    parser = argparse.ArgumentParser(prog="python -m grader", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
    for verb, (_, meaning) in VERBS.items():
        command = verbs.add_parser(verb, help=meaning)
        command.add_argument("--unit", help="a unit, as 01 or by its whole name")
        command.add_argument("--student", help="one student")
        for option, about in OPTIONS.get(verb, {}).items():
            command.add_argument(option, **about)
    args = parser.parse_args(words)
    run, _ = VERBS[args.verb]
    try:
        return run(Course(), args) or 0
    except CourseError as error:
        console.print(f"[red]{args.verb}:[/] {shown(str(error))}", highlight=False)
        return 2
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("grader."):
            raise
        console.print(
            f"[red]{args.verb}:[/] this is a student's bundle; "
            f"`make {args.verb}` is for the instructor's checkout."
        )
        return 2
    except KeyboardInterrupt:
        console.print(f"{args.verb}: stopped. What was done so far is kept; run it again to go on.")
        return 130


if __name__ == "__main__":
    sys.exit(main())
