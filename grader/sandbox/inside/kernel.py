"""The student's kernel: ipykernel, plus one reader for the grader's questions."""

import os
import sys

import matplotlib
import matplotlib_inline.backend_inline as inline
from ipykernel.kernelapp import IPKernelApp
from tornado.ioloop import IOLoop
from traitlets.config import Config

from . import silent
from .calls import Calls


def start(connection_file, channel, keeper):
    """Serve until killed.

    connection_file: with sockets below a folder that is taken away once they stand
    channel        : stream socket, answered between cells
    keeper         : stream socket to the process that takes the folder away
    """
    app = IPKernelApp.instance(
        config=Config(
            HistoryManager={"enabled": False},
            InteractiveShellApp={"ignore_cwd": True},  # a numpy.py of the student's stays unread
            IPKernelApp={"log_level": "ERROR"},
        )
    )
    app.initialize(["-f", connection_file])
    matplotlib.use("module://matplotlib_inline.backend_inline")
    inline._enable_matplotlib_integration()  # the zygote had no shell to hook it into
    keeper.send(b"1")
    keeper.recv(1)
    keeper.close()
    sys.path.append(os.getcwd())  # a helper.py of the course is found, after all else
    silent.install()
    calls = Calls(channel, app.shell.user_ns)
    loop = IOLoop.current()

    def answer(*_):
        try:
            calls.serve_one()
        except EOFError:
            os._exit(0)  # the grader has gone

    loop.add_handler(channel, answer, IOLoop.READ)
    app.start()
