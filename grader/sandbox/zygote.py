"""The warm parent of all kernels, seen from outside: start it, ask it for a fork, end the fork."""

import atexit
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from . import bubblewrap


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

    def __init__(self):
        bubblewrap.require()
        self.run = Path(tempfile.mkdtemp(prefix="grade-"))
        bubblewrap.prepare(self.run)
        self.process = subprocess.Popen(
            bubblewrap.command(self.run),
            stdin=subprocess.PIPE,  # closed by our end, however it comes: then it ends too
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        atexit.register(self.close)
        if self.process.stdout.readline() != b"ready\n":
            words = self.process.stderr.read().decode(errors="replace").strip()
            self.close()
            raise bubblewrap.NoSandbox(f"the sandbox does not start: {words[-500:]}")

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.run, ignore_errors=True)

    def hand_over(self, folder):
        """Let the user behind the wall read a folder that we have written."""
        if os.geteuid() == 0:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, bubblewrap.NOBODY, bubblewrap.NOBODY)

    def fork(self, folder, utils, limits):
        """A kernel in the folder of that name below self.run, which holds files/ and kernel.json.

        returns: a Tenant
        """
        ours, theirs = socket.socketpair()
        host = socket.socket(socket.AF_UNIX)
        host.connect(str(self.run / "zygote"))
        request = {"folder": folder, "utils": utils, "limits": asdict(limits)}
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
        self.ended = None  # "exit 0", "signal 11", "memory", "killed"

    def poll(self):
        """None while it lives, else how it ended."""
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
        """What all its threads have computed so far; time that it waits for others is not in it."""
        keeper = next(line.split()[1] for line in fdinfo(self.pidfd) if line.startswith("Pid:"))
        children = Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()
        threads = [path for child in children for path in Path(f"/proc/{child}/task").iterdir()]
        return sum(int((path / "schedstat").read_text().split()[0]) for path in threads) / 1e9

    def kill(self):
        """End it and everything that it started; the first process of a namespace takes all."""
        if self.ended is None:
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
            select.select([self.pidfd], [], [], 5)
        return self.poll()

    def close(self):
        os.close(self.pidfd)
        self.host.close()
        self.channel.close()


def fdinfo(fd):
    return Path(f"/proc/self/fdinfo/{fd}").read_text().splitlines()


@cache
def zygote():
    """This process's own, started when it is first asked for."""
    return Zygote()
