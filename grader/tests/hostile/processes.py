"""Three hundred processes and three hundred threads: not so many start.

Verdict: wrong or error
"""

import os
import signal
import threading

started, children = 0, []


def fork_all():
    for _ in range(300):
        child = os.fork()
        if child == 0:
            signal.pause()
        children.append(child)
    return True


def thread_all():
    for _ in range(300):
        threading.Thread(target=done.wait, daemon=True).start()
    return True


attempt("300 processes", fork_all)
for child in children:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
done = threading.Event()
attempt("300 threads", thread_all)
done.set()


def center_columns(x):
    return x
