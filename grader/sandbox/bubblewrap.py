"""The outer wall: a bubblewrap command, for any ordinary user.

Inside there are the system and the interpreter to read, memory to write, and one folder of
sockets. Of the course there is only `inside`: no solutions, no gradebook, no submission but the
ones that are brought in one by one.
"""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import matplotlib

COURSE = Path(__file__).resolve().parents[2]
INSIDE = Path(__file__).resolve().parent / "inside"
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives")
NOBODY = 65534
STEP_DOWN = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


class NoSandbox(Exception):
    """This machine cannot build one: a sentence that says what to do."""


def command(run):
    """The words that start the zygote behind the outer wall.

    run    : folder of this machine with the sockets, /run/course inside
    returns: a list of words; as root, the first part steps down to nobody
    """
    walls = ["bwrap", "--new-session"]
    inner = [
        *walls,
        *("--unshare-all", "--cap-drop", "ALL", "--clearenv"),
        *(word for item in environment().items() for word in ("--setenv", *item)),
        *system(),
        *bind("--bind", str(run), "/run/course"),
        *bind("--ro-bind", str(INSIDE), "/course/inside"),
        *("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/dev/shm"),
        *("--dir", "/home/student", "--dir", "/run/kernel", "--dir", "/course/utils"),
        *("--remount-ro", "/dev", "--remount-ro", "/"),  # every submission sees them
        *("--chdir", "/", "--", sys.executable, "-P", "-m", "inside"),
    ]
    if os.geteuid() != 0:
        return inner
    # Nobody may not walk into root's home, where the interpreter may lie: root binds it first.
    shared = [*bind("--bind", str(run), str(run)), *bind("--ro-bind", str(INSIDE), str(INSIDE))]
    kernel = ["--dev-bind", "/dev", "/dev", "--bind", "/proc", "/proc"]
    root = [*walls, *system(), *shared, *kernel, "--"]
    return [*root, *STEP_DOWN, "--no-new-privs", "--", *inner]


def no_walls(run):
    """The words that start the zygote as a process like any other: for trusted submissions."""
    own = {"COURSE_RUN": str(run), "HOME": str(run), "MPLCONFIGDIR": str(run / "matplotlib")}
    words = environment() | own | {"PYTHONPATH": str(INSIDE.parent)}
    settings = [f"{name}={value}" for name, value in words.items()]
    return ["env", "-i", *settings, sys.executable, "-P", "-m", "inside"]


def system():
    """The words that bind the system and the interpreter, to read."""
    words = []
    for path in map(Path, SYSTEM):
        if path.is_symlink():
            words += ["--symlink", os.readlink(path), str(path)]
        elif path.exists():
            words += ["--ro-bind", str(path), str(path)]
    for path in (*SETTINGS, *interpreter()):
        words += bind("--ro-bind-try", path, path)
    return [*words, *covered()]


def covered():
    """The words that cover the course where it lies within what is bound: below /usr, installed."""
    bound = [*SYSTEM, *interpreter()]
    parts = [COURSE / name for name in ("class", "course", "grader", "solutions", "utils")]
    inside = [p for p in parts if p.exists() and any(p.is_relative_to(path) for path in bound)]
    return [word for part in inside for word in ("--tmpfs", str(part))]


def bind(how, source, target):
    """Bind it, and make the folders above it, which would otherwise be closed to other users."""
    above = reversed(Path(target).parents[:-1])
    return [*(word for folder in above for word in ("--dir", str(folder))), how, source, target]


def interpreter():
    """Folders that the interpreter needs, wherever they lie: its own and its base's."""
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix}
    return sorted(p for p in prefixes if not p.startswith("/usr/") and p != "/usr")


def environment():
    """The environment variables of a kernel: none of the grader's."""
    words = {
        "HOME": "/home/student",
        "USER": "student",
        "LANG": "C.UTF-8",
        "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
        "PYTHONPATH": "/course",
        "PYTHONSAFEPATH": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "IPYTHONDIR": "/tmp/ipython",
        "MPLCONFIGDIR": "/run/course/matplotlib",
        "COURSE_PROGRESS": "off",
        "NBGRADER_EXECUTION": "autograde",
        "CUDA_VISIBLE_DEVICES": "",
    }
    words |= {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    return words


@cache
def require():
    """Raise NoSandbox, with one sentence, where bubblewrap cannot build the walls."""
    if not shutil.which("bwrap"):
        raise NoSandbox("there is no bubblewrap here: `sudo apt-get install bubblewrap`")
    trial = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--"]
    trial += ["unshare", "--user", "--pid", "--fork", "true"]  # walls within the walls
    tried = subprocess.run(trial, capture_output=True, text=True)
    if tried.returncode:
        raise NoSandbox(
            "bubblewrap may not build a sandbox here; the system says "
            f"{tried.stderr.strip() or 'nothing'!r}. On Ubuntu 24.04 and later: "
            "`sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`"
        )


def prepare(run):
    """Matplotlib's list of fonts into the folder of sockets: to look for them takes seconds."""
    fonts = run / "matplotlib"
    fonts.mkdir()
    for path in Path(matplotlib.get_cachedir()).glob("fontlist-*.json"):
        shutil.copy(path, fonts)
