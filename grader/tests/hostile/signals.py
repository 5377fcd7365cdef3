"""Signals to everything in reach, to the keeper of the kernel and to the grader first of all.

Verdict: error or crashed
"""

import json
import os
import signal

targets = json.load(open("targets.json"))


def center_columns(x):
    for sign in (signal.SIGSTOP, signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSEGV):
        for process in (1, os.getppid(), targets["grader"]):
            try:
                os.kill(process, sign)
            except OSError:
                pass
    os.kill(-1, signal.SIGKILL)
    os.killpg(0, signal.SIGKILL)
