"""Gradebook, solutions, other students, the sockets of other kernels, and what /proc tells.

Verdict: wrong
"""

import glob
import json
import os

targets = json.load(open("targets.json"))


def read(path):
    with open(path, "rb") as file:
        return file.read(100)


def write(path):
    with open(path, "r+b") as file:
        return file.write(b"changed")


for path in targets["paths"]:
    attempt(f"read {path}", lambda: read(path))
    attempt(f"write {path}", lambda: write(path))
    os.path.lexists("link") and os.remove("link")
    os.symlink(path, "link")
    attempt(f"link to {path}", lambda: read("link"))
attempt("letters", lambda: os.listdir("/run/course"))
attempt("own letters", lambda: os.listdir("/run/kernel"))
attempt("run folder", lambda: os.listdir(targets["run"]))
for process in {*(p for p in os.listdir("/proc") if p.isdigit()), "1"} - {str(os.getpid())}:
    for what in ("mem", "environ", "maps", "stack"):
        attempt(f"/proc/{process}/{what}", lambda: read(f"/proc/{process}/{what}"))
    for what in ("root", "cwd", "fd", "map_files"):
        attempt(f"/proc/{process}/{what}", lambda: os.listdir(f"/proc/{process}/{what}"))
secret = os.environ | {}
attempt("environment", lambda: [k for k in secret if "CANARY" in k or "SECRET" in k])
attempt("initial environment", lambda: b"CANARY" in open("/proc/self/environ", "rb").read())
attempt("kcore", lambda: read("/proc/kcore"))
attempt("sysrq", lambda: open("/proc/sysrq-trigger", "w"))
attempt("core pattern", lambda: open("/proc/sys/kernel/core_pattern", "w"))
attempt("shadow", lambda: read("/etc/shadow"))
attempt("homes", lambda: [p for p in glob.glob("/home/*/*") if not p.startswith("/home/student")])
attempt("root's home", lambda: glob.glob("/root/.ssh") + glob.glob("/root/.bash*"))
attempt("devices", lambda: glob.glob("/dev/sd*") + glob.glob("/dev/vd*") + glob.glob("/dev/mem"))


def center_columns(x):
    return x
