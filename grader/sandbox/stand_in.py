"""The student's names, seen from outside: stand-ins that ask the sandbox.

A stand-in can be called, and an object behind one has attributes and arithmetic; what comes back
is data, or another stand-in. It can neither be compared nor be true or false: no answer of the
student's decides a test by what it says of itself.
"""

import builtins
import sys
import time

import numpy as np

from grader.checking import RemoteCall, RemoteError, is_tensor

from .inside import wire

SAYS = {
    "timeout": "took longer than {seconds:.0f} seconds. Look for a loop that never ends.",
    "out of memory": "needed more memory than there is. Look for arrays larger than they must be.",
    "crashed": (
        "ended Python itself. Look for exit(), for recursion without end, "
        "or for a library that was given what it cannot take."
    ),
}
MOST_PRINTED = 1_000_000  # characters of one question
PATIENCE = 4  # times what it may compute, by the clock
KNOWN_ERRORS = {  # that a test may wait for: each a RemoteError as well
    kind.__name__: type(kind.__name__, (RemoteError, kind), {})
    for kind in vars(builtins).values()
    if isinstance(kind, type)
    and issubclass(kind, Exception)
    and not issubclass(kind, BaseExceptionGroup | UnicodeError)  # made of more than words
}


def outcome_of(ended):
    """The outcome of a question whose kernel ended so; see Tenant.ended."""
    return {"memory": "out of memory", "time": "timeout"}.get(ended, "crashed")


class Fault(RemoteError):
    """The sandbox is gone; `outcome` says how: timeout, out of memory, crashed."""

    def __init__(self, outcome, sentence):
        super().__init__(sentence)
        self.outcome = outcome


class Student:
    """One student's namespace behind the walls.

    tenant : the kernel
    fault  : the Fault that ended it, once there is one
    """

    def __init__(self, tenant):
        self.tenant = tenant
        self.fault = None
        self.callbacks = {}
        self.allow(10.0)

    def allow(self, seconds):
        """The student's code may compute so many seconds from here on, and sleep PATIENCE times
        as long; our own time does not count.
        """
        self.tenant.allow(seconds)
        self.seconds, self.left = seconds, PATIENCE * seconds
        self.errors = []  # what the student's code has raised since, as sentences
        self.out_of_memory = False
        self.may_print = MOST_PRINTED

    def has(self, name):
        return self.ask("has", name) is True

    def get(self, name):
        return self.ask("get", name)

    def put(self, name, value):
        """Give the student's name another value: data, one of theirs, or a function of ours.

        raises: WireError, if it is neither
        """
        tree, buffers = wire.encode(value, self.keep)
        self.ask("put", name, tree, buffers=buffers)

    def delete(self, name):
        self.ask("delete", name)

    def ask(self, do, *words, buffers=()):
        """Send a request, answer what comes back in between, return the value.

        raises: RemoteError, as the student's code did; Fault, if the kernel did not survive
        """
        if self.fault:
            raise self.fault
        stream = self.tenant.channel
        start = time.monotonic()
        try:
            stream.settimeout(max(self.left, 0.001))
            wire.send(stream, [do, *words], buffers)
            while True:
                tree, came = wire.receive(stream, start + self.left)
                self.print(tree.pop("printed", []))
                ((kind, content),) = tree.items()
                if kind == "value":
                    return wire.decode(content, came, self.revive)
                if kind == "error":
                    raise self.told(*content)
                if kind != "callback":
                    raise wire.WireError("no answer")
                self.answer(*content, came)
        except RemoteError:  # the student's own may be an OSError as well
            raise
        except (TimeoutError, wire.TooLate):
            self.fail("timeout")
        except (EOFError, OSError):
            self.fail(outcome_of(self.tenant.kill()))
        except (wire.WireError, TypeError, ValueError, AttributeError):
            self.fail("crashed")
        finally:
            self.left -= time.monotonic() - start

    def print(self, printed):
        """What the student's code wrote there, to stdout and stderr, is written here: to be seen.

        A test may catch it; and where nobody does, nbgrader takes stderr for a failure.
        """
        for text, stream in zip(printed, (sys.stdout, sys.stderr), strict=False):
            text = text.encode(errors="replace").decode()[: self.may_print]
            self.may_print -= len(text)
            stream.write(text)

    def fail(self, outcome):
        self.tenant.kill()
        self.fault = Fault(outcome, SAYS[outcome].format(seconds=self.seconds))
        raise self.fault from None

    def told(self, name, text, line):
        """The student's error as one of ours."""
        name, text = str(name)[:80], str(text)[:200]
        line = str(line)[:200] if line else None
        self.out_of_memory |= name == "MemoryError"
        sentence = f"stopped with {name}: {text}" if text else f"stopped with {name}."
        if name == "SystemExit":
            sentence = "called exit(); a function should return its result."
        self.errors.append(sentence)
        return KNOWN_ERRORS.get(name, RemoteError)(sentence, line)

    def answer(self, number, tree, buffers):
        """Call one of our own functions, which an argument brought there, for the student's."""
        args = wire.decode(tree, buffers, self.revive)
        try:
            value, out = wire.encode(self.callbacks[number](*args), self.keep)
            wire.send(self.tenant.channel, {"value": value}, out)
        except (RemoteError, OSError):
            raise
        except Exception as error:  # wrong arguments are the student's mistake: it goes back
            wire.send(self.tenant.channel, {"error": f"{type(error).__name__}: {error}"}, [])

    def keep(self, value):
        """An object of ours in an argument: a stand-in goes home, a function gets a number."""
        if isinstance(value, RemoteObject):
            return [value._number, "", False]
        if not callable(value):
            raise wire.WireError(f"a {type(value).__name__} cannot go into the sandbox")
        number = -1 - len(self.callbacks)
        self.callbacks[number] = value
        return [number, "function", True]

    def revive(self, number, name, can_be_called):
        base = RemoteFunction if can_be_called else RemoteObject
        return type(name if name.isidentifier() else "object", (base,), {})(self, number)


class RemoteObject:
    """What stays in the sandbox: its attributes, items and arithmetic are asked for there."""

    def __init__(self, student, number):
        object.__setattr__(self, "_student", student)
        object.__setattr__(self, "_number", number)

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return self._student.ask("attribute", self._number, name)

    def __setattr__(self, name, value):
        tree, buffers = wire.encode(value, self._student.keep)
        self._student.ask("set", self._number, name, tree, buffers=buffers)

    def __iter__(self):
        return iter(self._student.ask("items", self._number))

    def __bool__(self):
        raise TypeError("an object of the student's is neither true nor false")

    def _operate(self, name, *operands):
        tree, buffers = wire.encode(list(operands), self._student.keep)
        return self._student.ask("operate", name, tree, buffers=buffers)

    def __len__(self):
        length = self._operate("len", self)
        if type(length) is not int or length < 0:
            raise TypeError("no length")
        return length

    def __str__(self):
        return self._words("str")

    def __repr__(self):
        return self._words("repr")

    def _words(self, which):
        words = self._operate(which, self)
        if type(words) is not str:
            raise TypeError("no string")
        return words

    def __getitem__(self, key):
        return self._operate("getitem", self, key)

    def __setitem__(self, key, value):
        self._operate("setitem", self, key, value)

    def __neg__(self):
        return self._operate("neg", self)

    def __deepcopy__(self, memo):
        return self


def _forward(name):
    def there(self, other):
        return self._operate(name, self, other)

    def back(self, other):
        return self._operate(name, other, self)

    setattr(RemoteObject, f"__{name}__", there)
    setattr(RemoteObject, f"__r{name}__", back)


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
    _forward(_name)


class RemoteFunction(RemoteObject, RemoteCall):
    """A function, a class, or an object that can be called."""

    def _clock(self):
        """Seconds that the sandbox has computed: what a check of speed compares."""
        return self._student.tenant.cpu_seconds()

    def _peak(self, *args):
        """The most bytes that a call needs, as the sandbox tells: it may not count all of them."""
        tree, buffers = wire.encode(args, self._student.keep)
        peak = self._student.ask("peak", self._number, tree, buffers=buffers)
        return peak if type(peak) is int else self._student.fail("crashed")

    def __call__(self, *args, **kwargs):
        student = self._student
        tree, buffers = wire.encode((args, kwargs), student.keep)
        answer = student.ask("call", self._number, tree, buffers=buffers)
        try:
            value, changed = answer
            for place, new in changed:
                _change(args[place], new)
        except (TypeError, ValueError, IndexError):
            student.fail("crashed")
        return value


def _change(ours, new):
    """Let an argument become what the student's function made of it, so that a check sees it."""
    if type(ours) is not type(new):
        return
    if is_tensor(ours) and ours.shape == new.shape and ours.dtype == new.dtype:
        ours.data.copy_(new)
    elif type(ours) is np.ndarray and ours.shape == new.shape and ours.dtype == new.dtype:
        ours[...] = new
    elif type(ours) is list:
        ours[:] = new
    elif type(ours) is dict:
        ours.clear()
        ours.update(new)
    elif type(ours) is np.random.Generator:
        ours.bit_generator.state = new.bit_generator.state
    elif type(ours).__name__ == "Generator":
        ours.set_state(new.get_state())
