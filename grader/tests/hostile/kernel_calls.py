"""System calls that leave the walls or look over them.

Verdict: wrong
"""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def done(result):
    if result < 0:
        raise OSError(ctypes.get_errno())
    return True


attempt("ptrace attach", lambda: done(libc.ptrace(16, 1, 0, 0)))
attempt("ptrace traceme", lambda: done(libc.ptrace(0, 0, 0, 0)))
attempt("user namespace", lambda: done(libc.unshare(0x10000000)))
attempt("mount namespace", lambda: done(libc.unshare(0x00020000)))
attempt("clone", lambda: done(libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0)))
attempt("clone3", lambda: done(libc.syscall(435, 0, 0)))
attempt("mount", lambda: done(libc.mount(b"x", b"/tmp", b"tmpfs", 0, None)))
attempt("umount", lambda: done(libc.umount2(b"/tmp", 2)))
attempt("setns", lambda: done(libc.setns(os.open("/proc/self/ns/mnt", os.O_RDONLY), 0)))
attempt("setns of 1", lambda: done(libc.setns(os.open("/proc/1/ns/mnt", os.O_RDONLY), 0)))
attempt("chroot", lambda: done(libc.chroot(b"/tmp")))
attempt("pivot_root", lambda: done(libc.syscall(155, b"/tmp", b"/tmp")))
attempt("bpf", lambda: done(libc.syscall(321, 0, 0, 0)))
attempt("io_uring", lambda: done(libc.syscall(425, 1, ctypes.create_string_buffer(200))))
attempt("keys", lambda: done(libc.syscall(248, b"user", b"x", b"y", 1, -3)))
attempt("userfaultfd", lambda: done(libc.syscall(323, 1)))
attempt("perf", lambda: done(libc.syscall(298, ctypes.create_string_buffer(200), 0, -1, -1, 0)))
attempt("memory beside tmpfs", lambda: done(libc.syscall(319, b"x", 0)))  # memfd_create
attempt("memory of System V", lambda: done(libc.shmget(0, 4096, 0o1600)))
attempt("root", lambda: done(libc.setuid(0)))
attempt("host name", lambda: done(libc.sethostname(b"x", 1)))
attempt("node", lambda: os.mknod("/tmp/device", 0o20600, os.makedev(1, 1)) or True)
attempt("more processes", lambda: __import__("resource").setrlimit(6, (9999, 9999)) or True)
attempt("priority", lambda: os.nice(-5))
attempt("capabilities", lambda: "CapEff:\t0000000000000000" not in open("/proc/self/status").read())
attempt("new rights", lambda: "NoNewPrivs:\t1" not in open("/proc/self/status").read())


def center_columns(x):
    return x
