"""What crosses between the grader and a sandbox: data, and nothing that could act.

A value becomes a tree of plain JSON and a list of raw buffers:

    None, booleans, numbers, strings, lists   as they are in JSON
    {"tuple": [...]}, {"set": [...]}, {"dict": [[key, value], ...]}
    {"complex": [re, im]}, {"slice": [start, stop, step]}, {"range": [start, stop, step]}
    {"bytes": buffer}
    {"array": [dtype, shape, buffer]}, {"scalar": [dtype, buffer]}
    {"tensor": [dtype, shape, buffer]}
    {"generator": [name, state]}, {"torch_generator": buffer}
    {"object": [number, name of its type, whether it can be called]}

The last stands for what is not data: it stays where it is, and the other side gets a number for
it. No pickle, no names that are looked up, no code. `decode` trusts nothing: neither sizes nor
types nor depth; what does not fit raises a WireError.

A message on a stream socket is the length of its head (4 bytes), the head, JSON with the tree and
the sizes of the buffers, and the buffers.
"""

import json
import struct
import sys
import time

import numpy as np

MOST_BYTES = 256 * 2**20  # of one message
MOST_HEAD = 8 * 2**20
DEPTH = 50
ARRAY_KINDS = "biufcUS"  # booleans, numbers and text: kinds whose bytes cannot act
NUMPY_SCALARS = set(np.sctypeDict.values())
TENSOR_TYPES = ("bool", "uint8", "int8", "int16", "int32", "int64")
TENSOR_TYPES += ("bfloat16", "float16", "float32", "float64", "complex64", "complex128")
MOST_STEPS = 10**7  # of a range, which is short: a test may make a list of it
# of NumPy's, those whose state holds no index: one out of range would read foreign memory
GENERATORS = ("PCG64", "PCG64DXSM", "SFC64")
MOST_KEYS = 10_000  # of a set or dict: numbers can be chosen so that all of them collide


class WireError(Exception):
    """What came is no message of this protocol, or what should go cannot."""


class TooLate(WireError):
    """The time for an answer is over."""


def send(stream, tree, buffers):
    head = json.dumps({"tree": tree, "sizes": [len(b) for b in buffers]}).encode()
    if len(head) > MOST_HEAD or len(head) + sum(map(len, buffers)) > MOST_BYTES:
        raise WireError(f"more than {MOST_BYTES // 2**20} MB of data")
    stream.sendall(struct.pack(">I", len(head)) + head)
    for buffer in buffers:
        stream.sendall(buffer)


def receive(stream, deadline=None):
    """(tree, buffers) of the next message.

    deadline: on the clock of time.monotonic, for the whole of the message
    raises  : WireError, if it is none; TooLate; EOFError, if the other side has gone
    """
    (length,) = struct.unpack(">I", read(stream, 4, deadline))
    if length > MOST_HEAD:
        raise WireError("a head of a size that no message has")
    try:
        head = json.loads(read(stream, length, deadline))
        tree, sizes = head["tree"], head["sizes"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise WireError(f"no head of a message ({type(error).__name__})") from None
    whole = type(sizes) is list and all(type(size) is int and size >= 0 for size in sizes)
    if not whole or sum(sizes) > MOST_BYTES or len(sizes) > MOST_HEAD // 8:
        raise WireError("buffers of a size that no message has")
    return tree, [read(stream, size, deadline) for size in sizes]


def read(stream, size, deadline):
    """Exactly so many bytes, before the deadline however slowly they trickle."""
    data = bytearray()
    while len(data) < size:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TooLate
            stream.settimeout(left)
        try:
            part = stream.recv(min(size - len(data), 2**20))
        except TimeoutError:
            raise TooLate from None
        if not part:
            raise EOFError
        data += part
    return data


def encode(value, keep):
    """(tree, buffers) of a value; keep(value) gives the "object" entry of what is not data."""
    buffers = []
    return _encode(value, buffers, keep, DEPTH), buffers


def decode(tree, buffers, revive):
    """The value of (tree, buffers); revive(number, name, callable) stands for an object."""
    try:
        return _decode(tree, buffers, revive, DEPTH)
    except WireError:
        raise
    except Exception as error:
        raise WireError(f"no value ({type(error).__name__})") from None


def _encode(value, buffers, keep, depth):
    def inner(part):
        return _encode(part, buffers, keep, depth - 1)

    def buffer(data):
        buffers.append(data)
        return len(buffers) - 1

    kind = type(value)  # a subclass may be anything: only the types themselves are data
    torch = sys.modules.get("torch")
    if depth == 0:
        raise WireError("nested too deeply")
    if value is None or kind in (bool, int, float, str):
        return value
    if kind is list:
        return [inner(part) for part in value]
    if kind in (tuple, set):
        return {kind.__name__: [inner(part) for part in value]}
    if kind is dict:
        return {"dict": [[inner(key), inner(part)] for key, part in value.items()]}
    if kind is complex:
        return {"complex": [value.real, value.imag]}
    if kind is slice or (kind is range and _few_steps(value)):
        return {kind.__name__: [value.start, value.stop, value.step]}
    if kind in (bytes, bytearray):
        return {"bytes": buffer(bytes(value))}
    if kind is np.ndarray and value.dtype.kind in ARRAY_KINDS:
        return {"array": [value.dtype.str, list(value.shape), buffer(value.tobytes())]}
    if kind in NUMPY_SCALARS and value.dtype.kind in ARRAY_KINDS:
        return {"scalar": [value.dtype.str, buffer(value.tobytes())]}
    if torch and kind in (torch.Tensor, torch.nn.Parameter):
        name = str(value.dtype).removeprefix("torch.")
        if name in TENSOR_TYPES and value.layout == torch.strided:
            flat = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
            return {"tensor": [name, list(value.shape), buffer(flat.numpy().tobytes())]}
    if torch and kind is torch.Generator and value.device.type == "cpu":
        return {"torch_generator": buffer(value.get_state().numpy().tobytes())}
    if kind is np.random.Generator and type(value.bit_generator).__name__ in GENERATORS:
        state = value.bit_generator.state
        return {"generator": [state["bit_generator"], inner(state)]}
    return {"object": keep(value)}


def _decode(tree, buffers, revive, depth):
    def inner(part):
        return _decode(part, buffers, revive, depth - 1)

    if depth == 0:
        raise WireError("nested too deeply")
    if tree is None or type(tree) in (bool, int, float):
        return tree
    if type(tree) is str:
        return tree.encode(errors="replace").decode()  # half of a surrogate pair cannot be printed
    if type(tree) is list:
        return [inner(part) for part in tree]
    ((kind, content),) = tree.items()
    if kind == "tuple":
        return tuple(inner(part) for part in content)
    if kind in ("set", "dict") and len(content) > MOST_KEYS:
        raise WireError("more keys than there can be")
    if kind == "set":
        return {inner(part) for part in content}
    if kind == "dict":
        return {inner(key): inner(part) for key, part in content}
    if kind == "complex":
        return complex(*map(float, content))
    if kind in ("slice", "range"):
        if not all(part is None or type(part) is int for part in content):
            raise WireError("no slice")
        value = {"slice": slice, "range": range}[kind](*content)
        if kind == "range" and not _few_steps(value):
            raise WireError("more steps than there can be")
        return value
    if kind == "bytes":
        return bytes(buffers[content])
    if kind == "array":
        dtype, shape, number = content
        return _array(dtype, shape, buffers[number])
    if kind == "scalar":
        dtype, number = content
        return _array(dtype, [], buffers[number])[()]
    if kind == "tensor":
        return _tensor(*content[:2], buffers[content[2]])
    if kind == "torch_generator":
        import torch

        generator = torch.Generator()
        generator.set_state(torch.frombuffer(bytearray(buffers[content]), dtype=torch.uint8))
        return generator
    if kind == "generator":
        name, state = content
        if name not in GENERATORS:
            raise WireError("no generator")
        bits = getattr(np.random, name)()
        bits.state = inner(state)
        return np.random.Generator(bits)
    if kind == "object":
        number, name, can_be_called = content
        if type(number) is not int or type(name) is not str or type(can_be_called) is not bool:
            raise WireError("no object")
        return revive(number, name[:80], can_be_called)
    raise WireError("a kind that is not data")


def _few_steps(steps):
    """Whether it is a range of bearable length; `len` fails on a long one."""
    return abs(steps.stop - steps.start) <= MOST_STEPS * abs(steps.step)


def _array(dtype, shape, buffer):
    dtype = np.dtype(dtype if type(dtype) is str and len(dtype) < 16 else "")
    if dtype.kind not in ARRAY_KINDS or dtype.hasobject or dtype.subdtype or dtype.names:
        raise WireError("no array of data")
    _require_size(shape, dtype.itemsize, buffer)
    return np.frombuffer(buffer, dtype, count=_count(shape)).reshape(shape).copy()


def _tensor(name, shape, buffer):
    import torch

    if name not in TENSOR_TYPES:
        raise WireError("no tensor of data")
    dtype = getattr(torch, name)
    _require_size(shape, dtype.itemsize, buffer)
    if not len(buffer):
        return torch.empty(shape, dtype=dtype)
    return torch.frombuffer(bytearray(buffer), dtype=dtype).reshape(shape)


def _require_size(shape, itemsize, buffer):
    """An array that claims another shape than its bytes fill is none."""
    whole = type(shape) is list and all(type(n) is int and 0 <= n < 2**48 for n in shape)
    if not whole or len(shape) > 32 or _count(shape) * itemsize != len(buffer):
        raise WireError("a shape that does not fit the bytes")
    if _count([max(n, 1) for n in shape]) * itemsize > MOST_BYTES:
        raise WireError("an empty array whose sum along an axis would be too large")


def _count(shape):
    count = 1
    for n in shape:
        count *= n
    return count
