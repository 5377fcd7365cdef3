"""What crosses between grader and sandbox, what stands in for it, and what the walls hold back."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import struct
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader.checking import CheckFailed, RemoteError, expect_small
from grader.checks.autodiff import check_Value
from grader.mutants import autodiff as mutants
from grader.sandbox import bubblewrap
from grader.sandbox.bubblewrap import NoSandbox
from grader.sandbox.inside import wire
from grader.sandbox.inside.calls import Calls
from grader.sandbox.provisioner import SandboxKernelManager
from grader.sandbox.stand_in import Fault, RemoteObject, Student
from grader.sandbox.zygote import Limits, zygote
from utils.reference import autodiff

# --- the wire -------------------------------------------------------------------------------------

numbers = st.floats() | st.integers() | st.booleans() | st.complex_numbers()
arrays = hnp.arrays(
    dtype=hnp.boolean_dtypes()
    | hnp.integer_dtypes(endianness="?")
    | hnp.floating_dtypes(endianness="?")
    | hnp.complex_number_dtypes()
    | hnp.unicode_string_dtypes()
    | hnp.byte_string_dtypes(),
    shape=hnp.array_shapes(min_dims=0, min_side=0, max_dims=4, max_side=3),
)
slices = st.builds(slice, *[st.none() | st.integers()] * 3)
ranges = st.builds(
    lambda start, count, step: range(start, start + count * step, step),
    st.integers(),
    st.integers(0, wire.MOST_STEPS),
    st.integers(min_value=1),
)
texts = st.text(st.characters(exclude_categories=["Cs"]))
leaves = st.none() | numbers | texts | st.binary() | arrays | slices | ranges
keys = st.integers() | texts | st.tuples(st.integers(), texts)
values = st.recursive(
    leaves | st.sets(keys),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(keys, inner),
    max_leaves=10,
)


def no_objects(*what):
    raise wire.WireError(f"an object where there should be none: {what}")


def there_and_back(value):
    tree, buffers = wire.encode(value, no_objects)
    tree = json.loads(json.dumps(tree))
    return wire.decode(tree, [bytearray(buffer) for buffer in buffers], no_objects)


def require_same(a, b):
    assert type(a) is type(b)
    if isinstance(a, np.ndarray | np.generic):
        assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    elif type(a) in (list, tuple):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            require_same(one, other)
    elif type(a) is dict:
        require_same(list(a.items()), list(b.items()))
    else:
        assert a == b or repr(a) == repr(b)  # nan


@given(values)
@settings(deadline=None)
def test_does_data_come_through_as_it_was(value):
    require_same(value, there_and_back(value))


@pytest.mark.parametrize("dtype", wire.TENSOR_TYPES)
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
def test_do_tensors_come_through(dtype, shape):
    import torch

    tensor = torch.ones(shape).to(getattr(torch, dtype))
    back = there_and_back(tensor)
    assert (back.dtype, back.shape) == (tensor.dtype, tensor.shape)
    assert torch.equal(back, tensor)


def test_do_scalars_and_generators_come_through():
    import torch

    for scalar in (np.float32(1.5), np.int8(-3), np.bool_(True), np.str_("ä")):
        require_same(scalar, there_and_back(scalar))
    rng = np.random.default_rng(5)
    assert there_and_back(rng).normal() == rng.normal()
    generator = torch.Generator().manual_seed(5)
    assert torch.rand((), generator=there_and_back(generator)) == torch.rand(
        (), generator=generator
    )


@pytest.mark.parametrize(
    "value",
    [
        object(),
        type("I", (int,), {})(3),
        np.zeros(2).view(np.matrix),
        np.array([None]),
        np.ma.ones(2),
    ],
    ids=["object", "subclass", "matrix", "objects", "masked"],
)
def test_does_what_is_no_data_stay_where_it_is(value):
    tree, buffers = wire.encode(value, lambda kept: [7, type(kept).__name__, False])
    assert tree == {"object": [7, type(value).__name__, False]} and buffers == []


def test_does_what_holds_itself_not_go():
    itself = []
    itself.append(itself)
    with pytest.raises(wire.WireError, match="nested"):
        wire.encode(itself, no_objects)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=8,
)
KINDS = ["tuple", "set", "dict", "complex", "slice", "range", "bytes", "array", "scalar", "tensor"]
KINDS += ["generator", "torch_generator", "object"]
trees = st.recursive(
    json_values,
    lambda inner: st.builds(
        lambda kind, content: {kind: content},
        st.sampled_from(KINDS),
        inner | st.lists(inner, max_size=4),
    ),
    max_leaves=8,
)


@given(trees, st.lists(st.binary(max_size=16), max_size=3))
@settings(deadline=None, max_examples=150)
def test_does_no_tree_raise_but_a_wire_error(tree, buffers):
    with contextlib.suppress(wire.WireError):
        wire.decode(tree, [bytearray(b) for b in buffers], lambda *words: words)


LIES = {
    "objects": {"array": ["|O", [1], 0]},
    "records": {"array": ["f4,f4", [1], 0]},
    "subarray": {"array": ["2f4", [1], 0]},
    "dates": {"array": ["<M8[s]", [1], 0]},
    "void": {"array": ["V8", [1], 0]},
    "a long type": {"array": ["i4," * 10**5, [1], 0]},
    "too few bytes": {"array": ["<f8", [2], 0]},
    "negative": {"array": ["<f8", [-1, -1], 0]},
    "not whole": {"array": ["<f8", [1.0], 0]},
    "true": {"array": ["<f8", [True], 0]},
    "nan": {"array": ["<f8", [float("nan")], 0]},
    "empty but huge": {"array": ["<f8", [0, 2**40], 1]},
    "nothing wide": {"array": ["<U0", [2**40], 1]},
    "many axes": {"array": ["<f8", [1] * 10**4, 0]},
    "huge tensor": {"tensor": ["float64", [0, 2**40], 1]},
    "tensor of objects": {"tensor": ["__class__", [1], 0]},
    "no such buffer": {"bytes": 10**30},
    "no generator": {"generator": ["seed", {"dict": []}]},
    "an index out of range": {"generator": ["MT19937", {"dict": []}]},
    "another state": {"generator": ["PCG64", {"dict": [["bit_generator", "PCG64"]]}]},
    "list as key": {"dict": [[[1], 2]]},
    "keys that collide": {"set": [k * (2**61 - 1) for k in range(200_000)]},
    "a list without end": {"range": [0, 10**18, 1]},
    "and backward": {"range": [0, -(10**30), -1]},
    "deep": None,
}
deep = 0
for _ in range(200):
    deep = [deep]
LIES["deep"] = deep


@pytest.mark.parametrize("lie", LIES)
def test_is_a_lie_found_out_at_once(lie):
    pytest.importorskip("torch")  # which takes its time
    start = time.monotonic()
    with pytest.raises(wire.WireError):
        wire.decode(LIES[lie], [bytearray(8), bytearray(0)], no_objects)
    assert time.monotonic() - start < 2


# --- the channel, with a hostile other side -------------------------------------------------------


class Line:
    """A tenant that is nothing but the other end of a channel."""

    def __init__(self):
        self.channel, self.far = socket.socketpair()
        self.killed = False

    def kill(self):
        self.killed = True
        return "killed"

    def allow(self, seconds):
        pass

    def cpu_seconds(self):
        return time.process_time()


def message(tree, sizes=(), more=b""):
    head = json.dumps({"tree": tree, "sizes": list(sizes)}).encode()
    return struct.pack(">I", len(head)) + head + more


def asked(noise, seconds=1.0):
    """What Student.get comes to when the other side sends this."""
    line = Line()
    with line.channel, line.far:
        line.far.sendall(noise)
        line.far.shutdown(socket.SHUT_WR)
        student = Student(line)
        student.allow(seconds)
        return student.get("answer")


NOISE = {
    "nothing": b"",
    "half a length": b"\0\0",
    "a length too large": b"\xff\xff\xff\xff",
    "half a message": message(0)[:-3],
    "no JSON": b"\0\0\0\x04oops",
    "another JSON": b"\0\0\0\x02[]",
    "JSON with numbers of a mile": b"\0\x01\x00\x00" + b"9" * 2**16,
    "deep JSON": b"\0\x01\x00\x00" + b"[" * 2**16,
    "no kind": message({}),
    "two kinds": message({"value": 1, "error": 2}),
    "unknown kind": message({"eval": "1"}),
    "no tree": message(7),
    "negative sizes": message({"value": {"bytes": 0}}, [-1]),
    "huge sizes": message({"value": {"bytes": 0}}, [2**62]),
    "sizes of text": message({"value": {"bytes": 0}}, ["1"]),
    "sizes without bytes": message({"value": {"bytes": 0}}, [100]),
    "error without words": message({"error": []}),
    "error of numbers": message({"error": 5}),
    "callback of nothing": message({"callback": None}),
    "object of text": message({"value": {"object": ["1", 2, 3]}}),
}


@pytest.mark.parametrize("noise", NOISE)
def test_does_noise_end_as_a_crash(noise):
    with pytest.raises(Fault) as fault:
        asked(NOISE[noise])
    assert fault.value.outcome == "crashed"


@given(st.binary(max_size=200) | st.builds(message, trees, st.lists(st.integers(), max_size=2)))
@settings(deadline=None, max_examples=200)
def test_does_nothing_but_a_remote_error_come_of_random_bytes(noise):
    with contextlib.suppress(RemoteError):
        asked(noise)


def test_do_callbacks_that_do_not_exist_get_an_error():
    wanted = message({"callback": [-99, []]}) + message({"callback": ["x", []]})
    assert asked(wanted + message({"value": 3})) == 3


def test_does_a_slow_answer_end_in_time():
    line = Line()
    stop = threading.Event()

    def trickle():
        for byte in message({"value": "x" * 1000}):
            if stop.wait(0.05):
                return
            line.far.sendall(bytes([byte]))

    thread = threading.Thread(target=trickle)
    thread.start()
    student = Student(line)
    student.allow(0.2)
    start = time.monotonic()
    with pytest.raises(Fault, match="took longer") as fault:
        student.get("answer")
    assert fault.value.outcome == "timeout" and line.killed
    assert time.monotonic() - start < 2
    stop.set()
    thread.join()


def test_do_endless_callbacks_end_in_time():
    line = Line()

    def call_for_ever():
        try:
            while True:
                line.far.sendall(message({"callback": [-1, [1]]}))
                line.far.recv(10_000)
        except OSError:
            pass

    thread = threading.Thread(target=call_for_ever, daemon=True)
    student = Student(line)
    student.keep(lambda x: x)
    student.allow(0.5)
    thread.start()
    with pytest.raises(Fault, match="took longer"):
        student.get("answer")
    line.channel.close()
    thread.join(5)


# --- stand-ins, with an honest other side ---------------------------------------------------------

CODE = """
import builtins
import numpy as np
half = 0.5
def double(x): return 2 * x
def spoil(x): x[...] = 7; return x.sum()
def fill(items, table): items.append(4); table["new"] = 5
def draw(rng): return rng.normal()
def apply(f, x): return f(x) + 1
def fail(kind): raise getattr(builtins, kind)("what is wrong")
class Scalar:
    def __init__(self, data): self.data, self.grad = data, 0.0
    def __add__(self, other): return Scalar(self.data + getattr(other, "data", other))
    __radd__ = __add__
    def __mul__(self, other): return Scalar(self.data * getattr(other, "data", other))
    def __neg__(self): return Scalar(-self.data)
    def __getitem__(self, key): return key
    def __len__(self): return 2
    def __bool__(self): return True
    def __eq__(self, other): return True
    def backward(self): self.grad = 1.0
    def parts(self): return self, 1
    def __iter__(self): return iter([self, 2])
"""


@pytest.fixture
def student():
    """A student whose code runs in a thread of this process: the same words, no walls."""
    names = {}
    exec(CODE, names)
    with served(names) as student:
        yield student


@contextlib.contextmanager
def served(names):
    """Someone with these names, in a thread of this process."""
    line = Line()
    calls = Calls(line.far, names)

    def serve():
        try:
            while True:
                calls.serve_one()
        except (EOFError, OSError):
            pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield Student(line)
    line.channel.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def test_are_names_found_and_called(student):
    assert student.has("double") and not student.has("nothing")
    assert student.get("half") == 0.5
    assert student.get("double")(21) == 42
    np.testing.assert_array_equal(student.get("double")(np.arange(3)), [0, 2, 4])


def test_are_changes_in_place_seen_here(student):
    import torch

    for x in (np.zeros((2, 3)), torch.zeros(2, 3)):
        student.get("spoil")(x)
        assert (x == 7).all()
    items, table = [1], {"old": 1}
    student.get("fill")(items, table)
    assert (items, table) == ([1, 4], {"old": 1, "new": 5})


def test_does_a_generator_go_on_where_the_student_stopped(student):
    rng, same = np.random.default_rng(3), np.random.default_rng(3)
    drawn = [student.get("draw")(rng), rng.normal()]
    assert drawn == [same.normal(), same.normal()]


def test_may_the_student_call_our_functions(student):
    assert student.get("apply")(lambda x: 10 * x, 4) == 41
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        student.get("apply")(lambda x: x / 0, 4)


def test_do_objects_stay_there_and_answer(student):
    a, b = student.get("Scalar")(3.0), student.get("Scalar")(4.0)
    assert ((a + b).data, (1 + a).data, (a * 2).data, (-a).data) == (7.0, 4.0, 6.0, -3.0)
    a.backward()
    assert a.grad == 1.0
    a.grad = 5.0
    assert a.grad == 5.0
    same, one = a.parts()
    assert one == 1 and same.grad == 5.0
    assert a["key"] == "key" and len(list(a)) == 2
    assert type(a).__name__ == "Scalar"


@pytest.mark.parametrize(
    "name, says",
    [
        ("Value", "all checks passed"),
        ("ValueAlongEveryWay", "doubles with every reuse"),
        ("ValueOverwritten", "add up"),
        ("ValueLeftOnly", "__radd__"),
    ],
)
def test_may_a_check_work_with_a_class_that_stays_there(name, says, capsys):
    with served({**vars(mutants), "Value": autodiff.Value}) as student:
        try:
            check_Value(student.get(name))
        except CheckFailed as failed:
            assert says in str(failed)
        else:
            assert says in capsys.readouterr().out


def test_does_an_object_decide_nothing(student):
    a, b = student.get("Scalar")(3.0), student.get("Scalar")(3.0)
    assert a != b and a != 3.0
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(a)
    with pytest.raises(AttributeError):
        _ = a._secret
    with pytest.raises(TypeError):
        float(a)
    assert isinstance(a, RemoteObject)


@pytest.mark.parametrize("kind", [ValueError, KeyError, NotImplementedError])
def test_do_known_errors_keep_their_kind(student, kind):
    with pytest.raises(kind, match="what is wrong") as error:
        student.get("fail")(kind.__name__)
    assert isinstance(error.value, RemoteError)
    assert "raise kind_of" in error.value.line or error.value.line.strip().startswith("line")


def test_is_the_memory_of_a_call_measured_where_it_is_needed(student):
    x = np.zeros(1_000_000)
    expect_small(student.get("double"), (x,), 9, "too much")
    with pytest.raises(CheckFailed, match="too much"):
        expect_small(student.get("double"), (x,), 7, "too much")


@pytest.mark.parametrize("name", ["OSError", "TimeoutError", "EOFError"])
def test_does_an_error_that_resembles_our_own_leave_the_kernel_alive(student, name):
    with pytest.raises(RemoteError, match=f"stopped with {name}: what is wrong"):
        student.get("fail")(name)
    assert student.fault is None


# --- the walls ------------------------------------------------------------------------------------


RUN = """
def run(code):
    names = {}
    exec(code, names)
    return names["got"]
"""


@pytest.fixture
def walled(sandbox):
    """walled(code, **limits): what that code gives, run in a kernel of its own."""
    managers = []

    def run(code, **limits):
        km = SandboxKernelManager(limits=Limits(**limits))
        managers.append(km)
        asyncio.run(km.start_kernel())
        student = Student(km.tenant)
        client = km.client()
        client.start_channels()
        asyncio.run(client.wait_for_ready(timeout=30))
        client.execute(RUN, silent=True)
        client.stop_channels()
        end = time.monotonic() + 10
        while not student.has("run") and time.monotonic() < end:
            time.sleep(0.01)
        student.allow(20)
        return km, student.get("run")(code)

    yield run
    for km in managers:
        km.tenant.kill()
        shutil.rmtree(km.provisioner.folder, ignore_errors=True)
        km.context.destroy(linger=0)


def test_does_a_process_of_a_strange_name_do_no_harm(walled):
    name = "import ctypes, time\nctypes.CDLL(None).prctl(15, b'a:b', 0, 0, 0)"
    km, got = walled(name + "\ntime.sleep(0.3)\ngot = 1")
    assert got == 1
    assert km.tenant.poll() is None


PROCESSES = """
import os, signal
got = 0
try:
    for _ in range(100):
        if os.fork() == 0: signal.pause()
        got += 1
except BlockingIOError: pass
"""
THREADS = """
import threading
got, done = 0, threading.Event()
try:
    for _ in range(100):
        threading.Thread(target=done.wait, daemon=True).start()
        got += 1
except RuntimeError: pass
done.set()
"""
DISK = """
import os
got = 0
try:
    with open("/tmp/large", "wb") as file:
        for _ in range(40):
            file.write(b"x" * 2**20); file.flush(); got += 1
except OSError: pass
"""
OPEN = """
got, kept = 0, []
try:
    for _ in range(400):
        kept.append(open("/dev/null")); got += 1
except OSError: pass
"""


@pytest.mark.parametrize(
    "code, limits, most",
    [
        (PROCESSES, {"processes": 30, "megabytes_together": 100_000}, 30),
        (THREADS, {"processes": 30}, 30),
        (DISK, {"disk_megabytes": 20}, 20),
        (OPEN, {"files": 200}, 200),
    ],
    ids=["processes", "threads", "disk", "files"],
)
def test_is_there_an_end_to(walled, code, limits, most):
    _, got = walled(code, **limits)
    assert 0 < got <= most


MEMORY = {
    "one process": "kept = bytearray(10**9); got = 1",
    "several": """
import os, signal, time
for _ in range(4):
    if os.fork() == 0:
        kept = bytearray(200_000_000); signal.pause()
time.sleep(5); got = 1""",
    "shared": """
import mmap, time
with open("/dev/shm/big", "w+b") as file:
    file.truncate(2**30); kept = mmap.mmap(file.fileno(), 2**30)
    for place in range(0, 2**30, 4096): kept[place] = 1
time.sleep(1); got = 1""",
}


@pytest.mark.parametrize("kind", MEMORY)
def test_does_too_much_memory_end_the_submission(walled, kind):
    with pytest.raises(Fault) as fault:
        walled(MEMORY[kind], megabytes_together=700, disk_megabytes=2000)
    assert fault.value.outcome == "out of memory"


def test_is_the_address_space_limited(walled):
    with pytest.raises(RemoteError, match="MemoryError"):
        walled("got = len(bytearray(3 * 10**9))", megabytes=3000)


def test_does_no_process_survive(walled):
    code = """
import os, subprocess
for _ in range(3): subprocess.Popen(["sleep", "87654.321"], start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: os.execvp("sleep", ["sleep", "87654.321"])
    os._exit(0)
got = 1"""
    km, _ = walled(code)
    end = time.monotonic() + 5
    while sleeping() < 4 and time.monotonic() < end:
        time.sleep(0.02)
    assert sleeping() == 4  # they were there
    km.tenant.kill()
    assert sleeping() == 0
    assert zygote().process.poll() is None


def test_does_a_submission_end_when_its_grader_has_gone(walled):
    km, _ = walled("got = 1")
    assert km.tenant.poll() is None
    km.tenant.host.shutdown(socket.SHUT_RDWR)  # as the kernel does for a grader that was killed
    end = time.monotonic() + 20
    while km.tenant.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.02)


def sleeping():
    found = 0
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/cmdline", "rb") as file:
                found += file.read().startswith(b"sleep\x0087654.321")
        except OSError:
            pass
    return found


def test_does_a_missing_bubblewrap_give_one_clear_sentence(monkeypatch):
    monkeypatch.setattr(bubblewrap.shutil, "which", lambda name: None)
    bubblewrap.require.cache_clear()
    with pytest.raises(NoSandbox, match="no bubblewrap here: `sudo apt-get install") as none:
        bubblewrap.require()
    assert "\n" not in str(none.value)
    bubblewrap.require.cache_clear()


def test_does_a_zygote_that_died_get_a_successor(sandbox):
    sandbox.process.kill()
    sandbox.process.wait()
    assert zygote() is not sandbox
    assert zygote().process.poll() is None
