"""Processes and threads that go on when the answer is given, out of their session and group.

Verdict: wrong
"""

import os
import subprocess
import threading
import time

for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execvp("sleep", ["sleep", "98765.4321"])
        os._exit(0)
subprocess.Popen(["sleep", "98765.4321"], start_new_session=True)
threading.Thread(target=time.sleep, args=(98765,)).start()


def center_columns(x):
    return x
