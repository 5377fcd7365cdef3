"""The warm parent of all kernels, seen from outside: start it, ask it for a fork, end the fork."""

import atexit
import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from . import bubblewrap

UNSAFE = "COURSE_UNSAFE_NO_SANDBOX"  # set by `make grade UNSAFE_NO_SANDBOX=1`


@dataclass(frozen=True)
class Limits:
    """What one submission may use."""

    megabytes: int = 4096  # address space of each process; a kernel with PyTorch takes 2,000
    megabytes_together: int = 2048  # memory of all its processes, without what they share
    processes: int = 64
    files: int = 256  # open at once
    disk_megabytes: int = 64  # home and temporary files, each; they lie in memory


class Zygote:
    """One warm parent and the folder of sockets that it shares with us."""

    def __init__(self, walls=True):
        self.walls = walls
        if walls:
            bubblewrap.require()
        clear_away()
        self.run = Path(tempfile.mkdtemp(prefix=f"grade-{os.getpid()}-"))
        bubblewrap.prepare(self.run)
        self.hand_over(self.run)
        self.process = subprocess.Popen(
            bubblewrap.command(self.run) if walls else bubblewrap.no_walls(self.run),
            stdin=subprocess.PIPE,  # never written to: when this end closes, the zygote ends
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        atexit.register(self.close)
        if self.process.stdout.readline() != b"ready\n":
            words = self.process.stderr.read().decode(errors="replace").strip()
            self.close()
            raise bubblewrap.NoSandbox(f"the sandbox does not start: {words[-500:]}")

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        shutil.rmtree(self.run, ignore_errors=True)

    def hand_over(self, folder):
        """Let the user behind the wall read a folder that we have written."""
        if self.walls and os.geteuid() == 0:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, bubblewrap.NOBODY, bubblewrap.NOBODY)

    def fork(self, folder, utils, limits):
        """A kernel in the folder of that name below self.run, which holds files/ and kernel.json.

        returns: a Tenant
        """
        ours, theirs = socket.socketpair()
        host = socket.socket(socket.AF_UNIX)
        host.connect(str(self.run / "zygote"))
        request = {"folder": folder, "utils": utils, "limits": asdict(limits), "walls": self.walls}
        with theirs:
            socket.send_fds(host, [json.dumps(request).encode()], [theirs.fileno()])
        words, fds, _, _ = socket.recv_fds(host, 2**16, 1)
        if not fds:
            raise bubblewrap.NoSandbox(json.loads(words)["ended"] if words else "no answer")
        return Tenant(fds[0], host, ours)


class Tenant:
    """One kernel behind its walls: alive or ended, and the channel to ask it for names."""

    def __init__(self, pidfd, host, channel):
        self.pidfd, self.host, self.channel = pidfd, host, channel
        self.ended = None  # "exit 0", "signal 11", "memory", "time", "killed"
        self.computed, self.most = 0.0, float("inf")  # seconds
        self.lock = threading.RLock()  # who closes the pidfd and who kills by it take turns
        threading.Thread(target=self._watch, daemon=True).start()

    def allow(self, seconds):
        """It may compute so many seconds from here on; more ends it."""
        self.most = self.cpu_seconds() + seconds

    def _watch(self):
        """Seconds of computing and not of the clock: a busy machine costs nobody an answer."""
        while self.poll() is None:
            if self.cpu_seconds() > self.most:
                with self.lock:
                    self.kill()
                    self.ended = "time"
            time.sleep(0.05)

    def poll(self):
        """None while it lives, else how it ended."""
        with self.lock:
            if self.ended is None and select.select([self.pidfd], [], [], 0)[0]:
                self.host.setblocking(False)
                try:
                    words = self.host.recv(2**16)
                    self.ended = json.loads(words)["ended"] if words else "killed"
                except BlockingIOError:
                    self.ended = "killed"
                self.close()
            return self.ended

    def cpu_seconds(self):
        """What it has computed so far, in threads and processes that have ended, too.

        Time that it waits for others is not in it.
        """
        with self.lock:
            if self.ended is None:
                lines = Path(f"/proc/self/fdinfo/{self.pidfd}").read_text().splitlines()
                keeper = next(line.split()[1] for line in lines if line.startswith("Pid:"))
                self.computed = max(self.computed, sum(map(cpu_seconds, family(keeper))))
            return self.computed

    def kill(self):
        """End it and everything that it started; the first process of a namespace takes all."""
        with self.lock:
            if self.ended is None:
                with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
                    signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
                select.select([self.pidfd], [], [], 5)
            return self.poll()

    def close(self):
        os.close(self.pidfd)
        self.host.close()
        with contextlib.suppress(OSError):
            self.channel.shutdown(socket.SHUT_RDWR)  # wakes who waits there
        self.channel.close()


def family(process):
    """A process and all that it has started, as far as they are still there."""
    yield process
    with contextlib.suppress(OSError):  # of its threads, any may have started one
        for thread in Path(f"/proc/{process}/task").iterdir():
            for child in (thread / "children").read_text().split():
                yield from family(child)


def cpu_seconds(process):
    """What a process has computed, with its children that have ended; 0 if it has gone itself."""
    try:
        own = time.clock_gettime(~int(process) << 3 | 2)  # CPU clock of another process
        words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return own + sum(map(int, words[13:15])) / os.sysconf("SC_CLK_TCK")


def clear_away(also=None):
    """Remove the temporary folders of processes that were killed before they could.

    also: id of a process that is about to end
    """
    place = Path(tempfile.gettempdir())
    for folder in (*place.glob("grade-*-*"), *place.glob("desk-*-*")):
        owner = folder.name.split("-")[1]
        if owner == str(also) or (owner.isdigit() and not Path(f"/proc/{owner}").exists()):
            shutil.rmtree(folder, ignore_errors=True)


def close():
    """End this process's own zygote, if there is one."""
    if _own is not None:
        _own.close()


def zygote():
    """This process's own: started when it is first asked for, and again if it has died.

    raises: NoSandbox, where there can be none and nobody has asked to do without
    """
    global _own
    if _own is not None and _own.process.poll() is not None:
        _own.close()
        _own = None
    if _own is None:
        _own = Zygote(walls=UNSAFE not in os.environ)
    return _own


_own = None
