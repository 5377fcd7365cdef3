"""From a fork of the zygote to a kernel behind walls of its own.

Three processes follow each other. The fork leaves every namespace and forks the *keeper*, process
1 of the new ones, which alone may still mount. The keeper lays out the disk and forks the
*kernel*, which gives up every right before it runs a line of the student's. When the kernel ends,
or eats too much, the keeper ends, and with process 1 everything that the submission started.
"""

import contextlib
import json
import os
import random
import select
import shutil
import signal
import socket
import sys
import time
import traceback

from . import namespaces as walls

HOME, MAIL = "/home/student", "/run/kernel"
PLACE = os.environ.get("COURSE_RUN", "/run/course")  # another only where there is no sandbox


def move_in(request, host, channel):
    """Never returns: this process becomes the keeper of a kernel, or ends.

    request: {"folder": the kernel's folder below /run/course, "utils": the folder with the utils
             of this notebook or None, "limits": see Limits in the grader's sandbox, "walls":
             False where the instructor has asked for none}
    host   : stream socket, gets the keeper's pidfd and, at the end, its last words
    channel: stream socket on which the grader asks for the student's names
    """
    try:
        if request["walls"]:
            walls.leave_all_namespaces()
        if os.fork():
            os._exit(0)
        keep(request, host, channel)
    except BaseException:
        say(host, {"ended": "the sandbox could not be built: " + traceback.format_exc()})
    os._exit(1)


def keep(request, host, channel):
    limits, mail = request["limits"], MAIL
    if request["walls"]:
        walls.prctl(walls.PR_SET_DUMPABLE, 0)  # its memory is not the kernel's to read
        lay_out(request, limits)
    else:
        mail = f"{PLACE}/{request['folder']}"
        os.chdir(f"{mail}/files")
        sys.path.insert(0, f"{PLACE}/{request['utils']}")
    pidfd = os.pidfd_open(os.getpid())
    socket.send_fds(host, [b'{"pidfd": true}\n'], [pidfd])
    os.close(pidfd)
    inner, outer = socket.socketpair()
    kernel = os.fork()
    if kernel == 0:
        host.close()
        inner.close()
        run_kernel(limits, f"{mail}/kernel.json", channel, outer)
    channel.close()
    outer.close()
    if inner.recv(1):  # its sockets stand: from now on nothing of the grader's disk is in reach
        if request["walls"]:
            walls.unmount(MAIL)
        inner.send(b"1")
    most = limits["megabytes_together"] if request["walls"] else float("inf")
    say(host, {"ended": watch(kernel, most, host)})
    os._exit(0)


def lay_out(request, limits):
    """The disk of one submission: the system as it is, home and temporary files in memory."""
    walls.mount(None, "/", flags=walls.MS_REC | walls.MS_PRIVATE)
    walls.mount("proc", "/proc", "proc", walls.MS_NOSUID | walls.MS_NODEV)
    walls.mount(f"{PLACE}/{request['folder']}", MAIL, flags=walls.MS_BIND)
    if request["utils"]:
        walls.read_only(f"{PLACE}/{request['utils']}/utils", "/course/utils")
    for target in (HOME, "/tmp", "/dev/shm"):
        walls.in_memory(target, limits["disk_megabytes"])
    shutil.copytree(f"{MAIL}/files", HOME, dirs_exist_ok=True)
    walls.in_memory(PLACE, 1)  # the letters of the others are covered
    # mapped and shared it would be memory that belongs to no process
    walls.mount("/dev/null", "/dev/zero", flags=walls.MS_BIND)
    os.chdir(HOME)


def run_kernel(limits, connection_file, channel, keeper):
    """The kernel: no rights, a filter on its calls, then IPython as everyone knows it."""
    walls.prctl(walls.PR_SET_PDEATHSIG, signal.SIGKILL)
    walls.drop_capabilities()
    walls.set_limits(
        limits["megabytes"], limits["processes"], limits["files"], limits["disk_megabytes"]
    )
    walls.filter_calls()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nowhere, fd)
    random.seed()
    import numpy as np

    np.random.seed()  # noqa: NPY002  a fork would draw the numbers of its siblings
    from .kernel import start

    start(connection_file, channel, keeper)
    os._exit(0)


def watch(kernel, most_megabytes, host):
    """Wait for the kernel's end and say how it came.

    Whoever returns from here ends the submission: all its processes eat too much, or there is
    nobody left to grade it. bubblewrap itself waits for the last process of its namespace.
    """
    grader = select.poll()
    grader.register(host, 0)  # tells only that the other end is closed
    while True:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child == kernel:
            code = os.waitstatus_to_exitcode(status)
            return f"signal {-code}" if code < 0 else f"exit {code}"
        if not child:
            if memory_megabytes() > most_megabytes:
                return "memory"
            if grader.poll(0):
                return "the grader has gone"
            time.sleep(0.02)


def memory_megabytes():
    """What all processes of the submission hold of their own, without what the zygote shares."""
    kilobytes = 0
    for process in os.listdir("/proc"):
        if process.isdigit() and process != "1":
            try:
                with open(f"/proc/{process}/status") as file:
                    words = dict(line.split(":", 1) for line in file)
            except (FileNotFoundError, ProcessLookupError):
                continue
            for kind in ("RssAnon", "RssShmem"):
                kilobytes += int(words.get(kind, "0 kB").split()[0])
    return kilobytes / 2**10


def say(host, words):
    with contextlib.suppress(OSError):  # the grader has gone
        host.sendall(json.dumps(words).encode() + b"\n")
