"""Walls around one submission, built by the process that will be its first: system calls by hand.

They stand inside those that bubblewrap has built around the parent of all submissions. Python's
own os.unshare exists from 3.12 on, mount and prctl nowhere; so ctypes.
"""

import ctypes
import os
import resource

libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC = 1, 2, 4, 32, 4096, 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2
MAP_SHARED, MAP_ANONYMOUS = 1, 32
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
LAST_CAPABILITY = 63
MOST_FILES = 10_000

# refused in a submission: what leaves the walls, loads code into the kernel or reads over them,
# and what holds memory that belongs to no process, so that nobody would count it
FORBIDDEN_CALLS = """
    acct add_key bpf chroot clone3 delete_module fanotify_init finit_module fsconfig fsmount
    fsopen fspick init_module io_uring_enter io_uring_register io_uring_setup kcmp
    kexec_file_load kexec_load keyctl lookup_dcookie memfd_create memfd_secret mount mount_setattr
    move_mount msgget name_to_handle_at nfsservctl open_by_handle_at open_tree perf_event_open
    personality pidfd_getfd pivot_root process_vm_readv process_vm_writev ptrace quotactl
    quotactl_fd reboot request_key semget setdomainname sethostname setns shmget swapoff swapon
    syslog umount2 unshare userfaultfd vhangup
"""


def checked(result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def mount(source, target, kind=None, flags=0, options=None):
    words = [word.encode() if word else None for word in (source, target, kind)]
    checked(libc.mount(*words, ctypes.c_ulong(flags), options.encode() if options else None))


def unmount(target):
    checked(libc.umount2(target.encode(), MNT_DETACH))


def prctl(what, value=0):
    checked(libc.prctl(what, ctypes.c_ulong(value), 0, 0, 0))


def leave_all_namespaces():
    """Own users, processes, mounts, network, messages and host name, from the next fork on."""
    user, group = os.getuid(), os.getgid()
    every = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS
    checked(libc.unshare(every))
    for name, words in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(words)


def in_memory(target, megabytes):
    """A disk of that size; empty files would take the kernel's memory, so their number ends too."""
    options = f"size={megabytes}m,nr_inodes={MOST_FILES},mode=0700"
    mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, options)


def read_only(source, target):
    mount(source, target, flags=MS_BIND)
    mount(None, target, flags=MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV)


def set_limits(megabytes, processes, files, file_megabytes):
    for what, most in (
        (resource.RLIMIT_AS, megabytes * 2**20),
        (resource.RLIMIT_NPROC, processes),
        (resource.RLIMIT_NOFILE, files),
        (resource.RLIMIT_FSIZE, file_megabytes * 2**20),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def drop_capabilities():
    """What the builder of the walls could do, its tenant cannot."""
    for capability in range(LAST_CAPABILITY + 1):
        libc.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0)  # beyond the last: refused
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3, this process
    checked(libc.capset(header, (ctypes.c_uint32 * 6)()))
    prctl(PR_SET_NO_NEW_PRIVS, 1)


def filter_calls():
    """Refuse the calls above; returns whether the system has libseccomp to do so."""
    try:
        import pyseccomp
    except (ImportError, RuntimeError):
        return False
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for call in FORBIDDEN_CALLS.split():
        error = 38 if call == "clone3" else 1  # ENOSYS: the C library then takes clone; EPERM
        try:
            rules.add_rule(pyseccomp.ERRNO(error), call)
        except (OSError, ValueError):
            continue  # not a call of this machine
    new_user = pyseccomp.Arg(0, pyseccomp.MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER)
    rules.add_rule(pyseccomp.ERRNO(1), "clone", new_user)
    shared = MAP_SHARED | MAP_ANONYMOUS
    no_file = pyseccomp.Arg(3, pyseccomp.MASKED_EQ, shared, shared)
    rules.add_rule(pyseccomp.ERRNO(1), "mmap", no_file)
    rules.load()
    return True
