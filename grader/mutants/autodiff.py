"""Wrong answers on automatic differentiation."""

import numpy as np

from grader.mutants import mutant


@mutant("Value", says="doubles with every reuse")
class ValueAlongEveryWay:
    """Right, and exponential: every way is followed on its own."""

    def __init__(self, data, inputs=(), slopes=()):
        self.data, self.grad = data, 0.0
        self.inputs, self.slopes = inputs, slopes

    def value_of(self, x):
        return x if isinstance(x, type(self)) else type(self)(x)

    def __add__(self, other):
        other = self.value_of(other)
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = self.value_of(other)
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    def __sub__(self, other):
        return self + self.value_of(other) * -1

    def __truediv__(self, other):
        other = self.value_of(other)
        slopes = 1 / other.data, -self.data / other.data**2
        return type(self)(self.data / other.data, (self, other), slopes)

    def __pow__(self, n):
        return type(self)(self.data**n, (self,), (n * self.data ** (n - 1),))

    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def exp(self):
        e = float(np.exp(self.data))
        return type(self)(e, (self,), (e,))

    def log(self):
        return type(self)(float(np.log(self.data)), (self,), (1 / self.data,))

    def backward(self, gradient=1.0):
        self.grad += gradient
        for value, slope in zip(self.inputs, self.slopes, strict=True):
            value.backward(slope * gradient)

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return self * -1 + other

    def __rtruediv__(self, other):
        return self.value_of(other) / self


@mutant("Value", says="add up, += and not =")
class ValueOverwritten:
    """The last use wins."""

    def __init__(self, data, inputs=(), slopes=()):
        self.data, self.grad = data, 0.0
        self.inputs, self.slopes = inputs, slopes

    def value_of(self, x):
        return x if isinstance(x, type(self)) else type(self)(x)

    def __add__(self, other):
        other = self.value_of(other)
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = self.value_of(other)
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    def __sub__(self, other):
        return self + self.value_of(other) * -1

    def __truediv__(self, other):
        other = self.value_of(other)
        slopes = 1 / other.data, -self.data / other.data**2
        return type(self)(self.data / other.data, (self, other), slopes)

    def __pow__(self, n):
        return type(self)(self.data**n, (self,), (n * self.data ** (n - 1),))

    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def exp(self):
        e = float(np.exp(self.data))
        return type(self)(e, (self,), (e,))

    def log(self):
        return type(self)(float(np.log(self.data)), (self,), (1 / self.data,))

    def backward(self):
        order, met = [], set()

        def visit(node):
            if node not in met:
                met.add(node)
                for value in node.inputs:
                    visit(value)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for value, slope in zip(node.inputs, node.slopes, strict=True):
                value.grad = slope * node.grad

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return self * -1 + other

    def __rtruediv__(self, other):
        return self.value_of(other) / self


@mutant("Value", says="each value hands on its gradient once")
class ValueBreadthFirst:
    """Level by level, which is not the order of use."""

    def __init__(self, data, inputs=(), slopes=()):
        self.data, self.grad = data, 0.0
        self.inputs, self.slopes = inputs, slopes

    def value_of(self, x):
        return x if isinstance(x, type(self)) else type(self)(x)

    def __add__(self, other):
        other = self.value_of(other)
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = self.value_of(other)
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    def __sub__(self, other):
        return self + self.value_of(other) * -1

    def __truediv__(self, other):
        other = self.value_of(other)
        slopes = 1 / other.data, -self.data / other.data**2
        return type(self)(self.data / other.data, (self, other), slopes)

    def __pow__(self, n):
        return type(self)(self.data**n, (self,), (n * self.data ** (n - 1),))

    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def exp(self):
        e = float(np.exp(self.data))
        return type(self)(e, (self,), (e,))

    def log(self):
        return type(self)(float(np.log(self.data)), (self,), (1 / self.data,))

    def backward(self):
        self.grad = 1.0
        order, waiting = [], [self]
        while waiting:
            node = waiting.pop(0)
            if node not in order:
                order.append(node)
                waiting.extend(node.inputs)
        for node in order:
            for value, slope in zip(node.inputs, node.slopes, strict=True):
                value.grad += slope * node.grad

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return self * -1 + other

    def __rtruediv__(self, other):
        return self.value_of(other) / self


@mutant("Value", says="each value hands on its gradient once")
class ValueDepthFirst:
    """As soon as it is met."""

    def __init__(self, data, inputs=(), slopes=()):
        self.data, self.grad = data, 0.0
        self.inputs, self.slopes = inputs, slopes

    def value_of(self, x):
        return x if isinstance(x, type(self)) else type(self)(x)

    def __add__(self, other):
        other = self.value_of(other)
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = self.value_of(other)
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    def __sub__(self, other):
        return self + self.value_of(other) * -1

    def __truediv__(self, other):
        other = self.value_of(other)
        slopes = 1 / other.data, -self.data / other.data**2
        return type(self)(self.data / other.data, (self, other), slopes)

    def __pow__(self, n):
        return type(self)(self.data**n, (self,), (n * self.data ** (n - 1),))

    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def exp(self):
        e = float(np.exp(self.data))
        return type(self)(e, (self,), (e,))

    def log(self):
        return type(self)(float(np.log(self.data)), (self,), (1 / self.data,))

    def backward(self):
        self.grad = 1.0
        order, waiting = [], [self]
        while waiting:
            node = waiting.pop()
            if node not in order:
                order.append(node)
                waiting.extend(node.inputs[::-1])
        for node in order:
            for value, slope in zip(node.inputs, node.slopes, strict=True):
                value.grad += slope * node.grad

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return self * -1 + other

    def __rtruediv__(self, other):
        return self.value_of(other) / self


@mutant("Value", says="each value hands on its gradient once")
class ValueUnvisited:
    """No record of what was visited: values are in the order several times."""

    def __init__(self, data, inputs=(), slopes=()):
        self.data, self.grad = data, 0.0
        self.inputs, self.slopes = inputs, slopes

    def value_of(self, x):
        return x if isinstance(x, type(self)) else type(self)(x)

    def __add__(self, other):
        other = self.value_of(other)
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = self.value_of(other)
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    def __sub__(self, other):
        return self + self.value_of(other) * -1

    def __truediv__(self, other):
        other = self.value_of(other)
        slopes = 1 / other.data, -self.data / other.data**2
        return type(self)(self.data / other.data, (self, other), slopes)

    def __pow__(self, n):
        return type(self)(self.data**n, (self,), (n * self.data ** (n - 1),))

    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def exp(self):
        e = float(np.exp(self.data))
        return type(self)(e, (self,), (e,))

    def log(self):
        return type(self)(float(np.log(self.data)), (self,), (1 / self.data,))

    def backward(self):
        order = []

        def visit(node):
            for value in node.inputs:
                visit(value)
            order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for value, slope in zip(node.inputs, node.slopes, strict=True):
                value.grad += slope * node.grad

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return self * -1 + other

    def __rtruediv__(self, other):
        return self.value_of(other) / self


@mutant("Value", says="it has to reach every input")
class ValueOneStep:
    """Stops after the last operation's inputs."""

    def __init__(self, data, inputs=(), slopes=()):
        self.data, self.grad = data, 0.0
        self.inputs, self.slopes = inputs, slopes

    def value_of(self, x):
        return x if isinstance(x, type(self)) else type(self)(x)

    def __add__(self, other):
        other = self.value_of(other)
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = self.value_of(other)
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    def __sub__(self, other):
        return self + self.value_of(other) * -1

    def __truediv__(self, other):
        other = self.value_of(other)
        slopes = 1 / other.data, -self.data / other.data**2
        return type(self)(self.data / other.data, (self, other), slopes)

    def __pow__(self, n):
        return type(self)(self.data**n, (self,), (n * self.data ** (n - 1),))

    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def exp(self):
        e = float(np.exp(self.data))
        return type(self)(e, (self,), (e,))

    def log(self):
        return type(self)(float(np.log(self.data)), (self,), (1 / self.data,))

    def backward(self):
        self.grad = 1.0
        for value, slope in zip(self.inputs, self.slopes, strict=True):
            value.grad += slope

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return self * -1 + other

    def __rtruediv__(self, other):
        return self.value_of(other) / self


@mutant("Value", says="the result itself")
class ValueUnseeded:
    """d out / d out is forgotten."""

    def __init__(self, data, inputs=(), slopes=()):
        self.data, self.grad = data, 0.0
        self.inputs, self.slopes = inputs, slopes

    def value_of(self, x):
        return x if isinstance(x, type(self)) else type(self)(x)

    def __add__(self, other):
        other = self.value_of(other)
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = self.value_of(other)
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    def __sub__(self, other):
        return self + self.value_of(other) * -1

    def __truediv__(self, other):
        other = self.value_of(other)
        slopes = 1 / other.data, -self.data / other.data**2
        return type(self)(self.data / other.data, (self, other), slopes)

    def __pow__(self, n):
        return type(self)(self.data**n, (self,), (n * self.data ** (n - 1),))

    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def exp(self):
        e = float(np.exp(self.data))
        return type(self)(e, (self,), (e,))

    def log(self):
        return type(self)(float(np.log(self.data)), (self,), (1 / self.data,))

    def backward(self):
        order, met = [], set()

        def visit(node):
            if node not in met:
                met.add(node)
                for value in node.inputs:
                    visit(value)
                order.append(node)

        visit(self)
        for node in reversed(order):
            for value, slope in zip(node.inputs, node.slopes, strict=True):
                value.grad += slope * node.grad

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return self * -1 + other

    def __rtruediv__(self, other):
        return self.value_of(other) / self


@mutant("Value", says="the other operand")
class ValueOwnSlope:
    """x * y: the slopes exchanged."""

    def __init__(self, data, inputs=(), slopes=()):
        self.data, self.grad = data, 0.0
        self.inputs, self.slopes = inputs, slopes

    def value_of(self, x):
        return x if isinstance(x, type(self)) else type(self)(x)

    def __add__(self, other):
        other = self.value_of(other)
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = self.value_of(other)
        return type(self)(self.data * other.data, (self, other), (self.data, other.data))

    def __sub__(self, other):
        return self + self.value_of(other) * -1

    def __truediv__(self, other):
        other = self.value_of(other)
        slopes = 1 / other.data, -self.data / other.data**2
        return type(self)(self.data / other.data, (self, other), slopes)

    def __pow__(self, n):
        return type(self)(self.data**n, (self,), (n * self.data ** (n - 1),))

    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def exp(self):
        e = float(np.exp(self.data))
        return type(self)(e, (self,), (e,))

    def log(self):
        return type(self)(float(np.log(self.data)), (self,), (1 / self.data,))

    def backward(self):
        order, met = [], set()

        def visit(node):
            if node not in met:
                met.add(node)
                for value in node.inputs:
                    visit(value)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for value, slope in zip(node.inputs, node.slopes, strict=True):
                value.grad += slope * node.grad

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return self * -1 + other

    def __rtruediv__(self, other):
        return self.value_of(other) / self


@mutant("Value", says="__radd__")
class ValueLeftOnly:
    """Numbers on the right only."""

    def __init__(self, data, inputs=(), slopes=()):
        self.data, self.grad = data, 0.0
        self.inputs, self.slopes = inputs, slopes

    def value_of(self, x):
        return x if isinstance(x, type(self)) else type(self)(x)

    def __add__(self, other):
        other = self.value_of(other)
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = self.value_of(other)
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    def __sub__(self, other):
        return self + self.value_of(other) * -1

    def __truediv__(self, other):
        other = self.value_of(other)
        slopes = 1 / other.data, -self.data / other.data**2
        return type(self)(self.data / other.data, (self, other), slopes)

    def __pow__(self, n):
        return type(self)(self.data**n, (self,), (n * self.data ** (n - 1),))

    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def exp(self):
        e = float(np.exp(self.data))
        return type(self)(e, (self,), (e,))

    def log(self):
        return type(self)(float(np.log(self.data)), (self,), (1 / self.data,))

    def backward(self):
        order, met = [], set()

        def visit(node):
            if node not in met:
                met.add(node)
                for value in node.inputs:
                    visit(value)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for value, slope in zip(node.inputs, node.slopes, strict=True):
                value.grad += slope * node.grad


@mutant("Value", says="2 - x came out as x - 2")
class ValueReflected:
    """__rsub__ as __sub__."""

    def __init__(self, data, inputs=(), slopes=()):
        self.data, self.grad = data, 0.0
        self.inputs, self.slopes = inputs, slopes

    def value_of(self, x):
        return x if isinstance(x, type(self)) else type(self)(x)

    def __add__(self, other):
        other = self.value_of(other)
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = self.value_of(other)
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    def __sub__(self, other):
        return self + self.value_of(other) * -1

    def __truediv__(self, other):
        other = self.value_of(other)
        slopes = 1 / other.data, -self.data / other.data**2
        return type(self)(self.data / other.data, (self, other), slopes)

    def __pow__(self, n):
        return type(self)(self.data**n, (self,), (n * self.data ** (n - 1),))

    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def exp(self):
        e = float(np.exp(self.data))
        return type(self)(e, (self,), (e,))

    def log(self):
        return type(self)(float(np.log(self.data)), (self,), (1 / self.data,))

    def backward(self):
        order, met = [], set()

        def visit(node):
            if node not in met:
                met.add(node)
                for value in node.inputs:
                    visit(value)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for value, slope in zip(node.inputs, node.slopes, strict=True):
                value.grad += slope * node.grad

    __radd__, __rmul__, __rsub__ = __add__, __mul__, __sub__

    def __rtruediv__(self, other):
        return self.value_of(other) / self


@mutant("Value", says="the minus is missing")
class ValueDividedPlus:
    """x / y: the slope by y is positive."""

    def __init__(self, data, inputs=(), slopes=()):
        self.data, self.grad = data, 0.0
        self.inputs, self.slopes = inputs, slopes

    def value_of(self, x):
        return x if isinstance(x, type(self)) else type(self)(x)

    def __add__(self, other):
        other = self.value_of(other)
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = self.value_of(other)
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    def __sub__(self, other):
        return self + self.value_of(other) * -1

    def __truediv__(self, other):
        other = self.value_of(other)
        slopes = 1 / other.data, self.data / other.data**2
        return type(self)(self.data / other.data, (self, other), slopes)

    def __pow__(self, n):
        return type(self)(self.data**n, (self,), (n * self.data ** (n - 1),))

    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def exp(self):
        e = float(np.exp(self.data))
        return type(self)(e, (self,), (e,))

    def log(self):
        return type(self)(float(np.log(self.data)), (self,), (1 / self.data,))

    def backward(self):
        order, met = [], set()

        def visit(node):
            if node not in met:
                met.add(node)
                for value in node.inputs:
                    visit(value)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for value, slope in zip(node.inputs, node.slopes, strict=True):
                value.grad += slope * node.grad

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return self * -1 + other

    def __rtruediv__(self, other):
        return self.value_of(other) / self


@mutant("Value", says="the factor n is missing")
class ValuePowerWithoutFactor:
    """x^(n - 1)."""

    def __init__(self, data, inputs=(), slopes=()):
        self.data, self.grad = data, 0.0
        self.inputs, self.slopes = inputs, slopes

    def value_of(self, x):
        return x if isinstance(x, type(self)) else type(self)(x)

    def __add__(self, other):
        other = self.value_of(other)
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = self.value_of(other)
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    def __sub__(self, other):
        return self + self.value_of(other) * -1

    def __truediv__(self, other):
        other = self.value_of(other)
        slopes = 1 / other.data, -self.data / other.data**2
        return type(self)(self.data / other.data, (self, other), slopes)

    def __pow__(self, n):
        return type(self)(self.data**n, (self,), (self.data ** (n - 1),))

    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def exp(self):
        e = float(np.exp(self.data))
        return type(self)(e, (self,), (e,))

    def log(self):
        return type(self)(float(np.log(self.data)), (self,), (1 / self.data,))

    def backward(self):
        order, met = [], set()

        def visit(node):
            if node not in met:
                met.add(node)
                for value in node.inputs:
                    visit(value)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for value, slope in zip(node.inputs, node.slopes, strict=True):
                value.grad += slope * node.grad

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return self * -1 + other

    def __rtruediv__(self, other):
        return self.value_of(other) / self


@mutant("Value", says="below 0 nothing comes through")
class ValueReluAlwaysOne:
    """The slope of relu is 1 everywhere."""

    def __init__(self, data, inputs=(), slopes=()):
        self.data, self.grad = data, 0.0
        self.inputs, self.slopes = inputs, slopes

    def value_of(self, x):
        return x if isinstance(x, type(self)) else type(self)(x)

    def __add__(self, other):
        other = self.value_of(other)
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = self.value_of(other)
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    def __sub__(self, other):
        return self + self.value_of(other) * -1

    def __truediv__(self, other):
        other = self.value_of(other)
        slopes = 1 / other.data, -self.data / other.data**2
        return type(self)(self.data / other.data, (self, other), slopes)

    def __pow__(self, n):
        return type(self)(self.data**n, (self,), (n * self.data ** (n - 1),))

    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (1.0,))

    def exp(self):
        e = float(np.exp(self.data))
        return type(self)(e, (self,), (e,))

    def log(self):
        return type(self)(float(np.log(self.data)), (self,), (1 / self.data,))

    def backward(self):
        order, met = [], set()

        def visit(node):
            if node not in met:
                met.add(node)
                for value in node.inputs:
                    visit(value)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for value, slope in zip(node.inputs, node.slopes, strict=True):
                value.grad += slope * node.grad

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return self * -1 + other

    def __rtruediv__(self, other):
        return self.value_of(other) / self


@mutant("Value", says="exp(x), its own result")
class ValueExpOne:
    """The slope of exp is 1."""

    def __init__(self, data, inputs=(), slopes=()):
        self.data, self.grad = data, 0.0
        self.inputs, self.slopes = inputs, slopes

    def value_of(self, x):
        return x if isinstance(x, type(self)) else type(self)(x)

    def __add__(self, other):
        other = self.value_of(other)
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = self.value_of(other)
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    def __sub__(self, other):
        return self + self.value_of(other) * -1

    def __truediv__(self, other):
        other = self.value_of(other)
        slopes = 1 / other.data, -self.data / other.data**2
        return type(self)(self.data / other.data, (self, other), slopes)

    def __pow__(self, n):
        return type(self)(self.data**n, (self,), (n * self.data ** (n - 1),))

    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def exp(self):
        e = float(np.exp(self.data))
        return type(self)(e, (self,), (1.0,))

    def log(self):
        return type(self)(float(np.log(self.data)), (self,), (1 / self.data,))

    def backward(self):
        order, met = [], set()

        def visit(node):
            if node not in met:
                met.add(node)
                for value in node.inputs:
                    visit(value)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for value, slope in zip(node.inputs, node.slopes, strict=True):
                value.grad += slope * node.grad

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return self * -1 + other

    def __rtruediv__(self, other):
        return self.value_of(other) / self


@mutant("Value", says="the slope of log is 1 / x")
class ValueLogTurned:
    """The slope of log is x."""

    def __init__(self, data, inputs=(), slopes=()):
        self.data, self.grad = data, 0.0
        self.inputs, self.slopes = inputs, slopes

    def value_of(self, x):
        return x if isinstance(x, type(self)) else type(self)(x)

    def __add__(self, other):
        other = self.value_of(other)
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = self.value_of(other)
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    def __sub__(self, other):
        return self + self.value_of(other) * -1

    def __truediv__(self, other):
        other = self.value_of(other)
        slopes = 1 / other.data, -self.data / other.data**2
        return type(self)(self.data / other.data, (self, other), slopes)

    def __pow__(self, n):
        return type(self)(self.data**n, (self,), (n * self.data ** (n - 1),))

    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def exp(self):
        e = float(np.exp(self.data))
        return type(self)(e, (self,), (e,))

    def log(self):
        return type(self)(float(np.log(self.data)), (self,), (self.data,))

    def backward(self):
        order, met = [], set()

        def visit(node):
            if node not in met:
                met.add(node)
                for value in node.inputs:
                    visit(value)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for value, slope in zip(node.inputs, node.slopes, strict=True):
                value.grad += slope * node.grad

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return self * -1 + other

    def __rtruediv__(self, other):
        return self.value_of(other) / self


@mutant("Value", says="a second backward()")
class ValueVisitedForEver:
    """Visited once, never again."""

    def __init__(self, data, inputs=(), slopes=()):
        self.data, self.grad = data, 0.0
        self.inputs, self.slopes = inputs, slopes

    def value_of(self, x):
        return x if isinstance(x, type(self)) else type(self)(x)

    def __add__(self, other):
        other = self.value_of(other)
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = self.value_of(other)
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    def __sub__(self, other):
        return self + self.value_of(other) * -1

    def __truediv__(self, other):
        other = self.value_of(other)
        slopes = 1 / other.data, -self.data / other.data**2
        return type(self)(self.data / other.data, (self, other), slopes)

    def __pow__(self, n):
        return type(self)(self.data**n, (self,), (n * self.data ** (n - 1),))

    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def exp(self):
        e = float(np.exp(self.data))
        return type(self)(e, (self,), (e,))

    def log(self):
        return type(self)(float(np.log(self.data)), (self,), (1 / self.data,))

    def backward(self):
        order = []

        def visit(node):
            if not hasattr(node, "met"):
                node.met = True
                for value in node.inputs:
                    visit(value)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for value, slope in zip(node.inputs, node.slopes, strict=True):
                value.grad += slope * node.grad

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return self * -1 + other

    def __rtruediv__(self, other):
        return self.value_of(other) / self


mutant("backprop_cost", says="one-sided differences")("a")
mutant("backprop_cost", says="would be centered differences")("b")
mutant("backprop_cost", says="every layer goes back once")("d")
