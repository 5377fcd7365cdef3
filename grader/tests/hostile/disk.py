"""The disk is filled, with large files and with many small ones, wherever anything can be written.

Verdict: wrong or error
"""

import os

EXPECTED = {"/home/student", "/tmp", "/dev/shm", "/run/course"}


def writable():
    """Folders that take a file, other than those in memory that are this submission's own."""
    found = []
    for folder, inner, _ in os.walk("/"):
        inner[:] = [name for name in inner if f"{folder}/{name}".strip("/") not in ("proc", "sys")]
        if any((folder + "/").startswith(place + "/") for place in EXPECTED):
            continue
        if os.statvfs(folder).f_flag & os.ST_RDONLY:  # the venv is large
            inner[:] = [name for name in inner if f"{folder}/{name}".count("/") < 5]
            continue
        try:
            open(f"{folder}/canary", "w").close()
            found.append(folder)
        except OSError:
            pass
    return found


def large(folder):
    for number in range(20):
        with open(f"{folder}/large{number}", "wb") as file:
            file.write(b"x" * 10_000_000)
    return True


def many(folder):
    for number in range(20_000):
        open(f"{folder}/small{number}", "w").close()
    return True


for place in sorted(EXPECTED):
    attempt(f"many files in {place}", lambda: many(place))
    for name in os.listdir(place):
        if name.startswith("small"):
            os.remove(f"{place}/{name}")
    attempt(f"200 MB in {place}", lambda: large(place))
    for name in os.listdir(place):
        if name.startswith("large"):
            os.remove(f"{place}/{name}")
attempt("elsewhere", writable)


def center_columns(x):
    return x
