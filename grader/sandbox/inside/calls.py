"""The sandbox's end of the channel: look up names, call functions, answer with data.

Everything here runs beside the student's code and in its power. It is a convenience and no
guard: whatever the student makes it say, the grader takes for data.
"""

import contextlib
import io
import itertools
import operator
import traceback
import tracemalloc

from . import wire

ARITHMETIC = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "truediv": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "pow": operator.pow,
    "matmul": operator.matmul,
    "neg": operator.neg,
    "getitem": operator.getitem,
    "setitem": operator.setitem,
    "len": len,
    "str": str,
    "repr": repr,
}
MOST_PRINTED = 100_000  # characters of one call
MOST_ITEMS = 10_000  # taken from an iterable at once


class Calls:
    """Answers what the grader asks about one student's names."""

    def __init__(self, stream, namespace):
        self.stream = stream
        self.namespace = namespace
        self.objects = {}  # number -> what stays here

    def serve_one(self):
        """Read one request and answer it; the grader sends the next only after that."""
        tree, buffers = wire.receive(self.stream)
        printed = io.StringIO(), io.StringIO()
        try:
            with contextlib.redirect_stdout(printed[0]), contextlib.redirect_stderr(printed[1]):
                answer, out = self.answer(tree, buffers)
        except BaseException as error:  # SystemExit and KeyboardInterrupt are answers, too
            answer, out = {"error": told(error)}, []
        if any(stream.getvalue() for stream in printed):
            answer["printed"] = [stream.getvalue()[:MOST_PRINTED] for stream in printed]
        try:
            wire.send(self.stream, answer, out)
        except wire.WireError as error:
            wire.send(self.stream, {"error": ["ValueError", f"returned {error}", None]}, [])

    def answer(self, tree, buffers):
        do, *words = tree
        if do == "has":
            return {"value": words[0] in self.namespace}, []
        if do == "get":
            value = self.namespace[words[0]]
        elif do == "put":
            value = self.namespace.update({words[0]: self.decode(words[1], buffers)})
        elif do == "delete":
            value = self.namespace.__delitem__(words[0])
        elif do == "attribute":
            value = getattr(self.objects[words[0]], words[1])
        elif do == "set":
            value = setattr(self.objects[words[0]], words[1], self.decode(words[2], buffers))
        elif do == "items":
            value = list(itertools.islice(self.objects[words[0]], MOST_ITEMS))
        elif do == "operate":
            operands = self.decode(words[1], buffers)
            value = ARITHMETIC[words[0]](*operands)
        elif do == "call":
            args, kwargs = self.decode(words[1], buffers)
            before = [wire.encode(arg, self.keep) for arg in args]
            value = self.objects[words[0]](*args, **kwargs)
            changed = [
                [place, arg]
                for place, arg in enumerate(args)
                if wire.encode(arg, self.keep) != before[place]
            ]
            value, out = wire.encode((value, changed), self.keep)
            return {"value": value}, out
        elif do == "peak":
            args = self.decode(words[1], buffers)
            tracemalloc.start()
            try:
                self.objects[words[0]](*args)
                value = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
        else:
            raise ValueError("no such request")
        value, out = wire.encode(value, self.keep)
        return {"value": value}, out

    def decode(self, tree, buffers):
        return wire.decode(tree, buffers, self.revive)

    def keep(self, value):
        number = id(value)
        self.objects[number] = value
        return [number, type(value).__name__, callable(value)]

    def revive(self, number, name, can_be_called):
        """An object that stayed here, or a stand-in for a function of the grader."""
        if number >= 0:
            return self.objects[number]

        def ask_back(*args):
            tree, out = wire.encode(list(args), self.keep)
            wire.send(self.stream, {"callback": [number, tree]}, out)
            tree, buffers = wire.receive(self.stream)
            if "error" in tree:
                raise RuntimeError(tree["error"])
            return self.decode(tree["value"], buffers)

        return ask_back


def told(error):
    """[its type, its words, the deepest line of the student's own code], as far as it can tell."""
    try:
        text = str(error)[:500]
    except BaseException:
        text = ""
    return [type(error).__name__, text, line_of(error)]


def line_of(error):
    """The deepest line in the file where the student's function begins, or None."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename not in (__file__, wire.__file__)
    ]
    own = [frame for frame in frames if frame.filename == frames[0].filename]
    return f"    line {own[-1].lineno}: {own[-1].line}" if own else None
