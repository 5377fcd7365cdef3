"""What the learner has passed so far, kept on the learner's own machine.

The file serves the learner alone: grading never reads it, so writing into it earns nothing.
"""

import json
import os
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def progress_file():
    """Where progress is kept: $COURSE_PROGRESS, or .progress/progress.json beside the course."""
    return Path(os.environ.get("COURSE_PROGRESS", ROOT / ".progress" / "progress.json"))


def load():
    """{exercise: {"passed": bool, "tries": int, "last": ISO time}}; {} when nothing was tried."""
    try:
        return json.loads(progress_file().read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def record(exercise, passed):
    """Note one run of a check. What was passed once stays passed."""
    done = load()
    entry = done.setdefault(exercise, {"passed": False, "tries": 0})
    entry["passed"] = entry["passed"] or passed
    entry["tries"] += 1
    entry["last"] = datetime.now().isoformat(timespec="seconds")
    path = progress_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".new")
    scratch.write_text(json.dumps(done, indent=1, sort_keys=True))
    scratch.replace(path)  # in one step: a crash leaves the old file whole
