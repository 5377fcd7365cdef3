"""A multilayer perceptron that learns under your hands."""

import time
from itertools import pairwise

import ipywidgets as widgets
import numpy as np

from utils.figures import training_surface
from utils.figures.playground import surface_grid

from .learner import Unfit, ask, takes
from .panel import Panel

FRAMES, STEPS = 60, 10  # positions of the slider, and updates from one to the next
TOO_MUCH = 1e6  # a loss beyond it will not come back
BUDGET = 0.03  # seconds to train in one redraw; the rest follows in the next
LAYERS = {"none, a linear classifier": (), "one of 2": (2,), "one of 4": (4,), "one of 8": (8,),
          "two of 8": (8, 8), "three of 8": (8, 8, 8)}  # fmt: skip


def mlp_playground(mlp_loss, mlp_forward, data_sets, *, reference=None,
                   activations=("relu", "tanh", "sigmoid"), layers="two of 8", lr=0.3):  # fmt: skip
    """A network of chosen layers, trained by full-batch gradient descent while you watch.

    mlp_loss : (x, y, parameters, [activation=]) -> (loss, gradients), the learner's; parameters
               is a list of (w, b), gradients a list of (dw, db)
    mlp_forward : (x, parameters, [activation=]) -> scores (N, C), or a tuple that starts so
    data_sets : {name: function of the noise -> (x (N, 2), y (N,))}; every third point is held out
    reference : (mlp_loss, mlp_forward), used while the learner's are not written
    activations : names to choose from, shown if both functions take activation=; otherwise
                  mlp_loss has its own, relu in the course
    """
    runs = {}
    functions = mlp_loss, mlp_forward
    problem = _first_problem(functions, data_sets)
    if problem and reference is not None:
        problem += " The reference is trained."
        functions = reference
    named = all(callable(f) and takes(f, "activation") for f in functions)

    def run(data, noise, layers, lr, activation=None):
        key = data, noise, layers, lr, activation
        if key not in runs:
            options = {"activation": activation} if activation else {}
            runs[key] = Run(functions, data_sets[data](noise), LAYERS[layers], lr, options)
        return runs[key]

    def draw(step, **settings):
        if problem and reference is None:
            raise ValueError(problem)
        training = run(**settings)
        reached = training.train_to(step, BUDGET)
        fig = training.figure(reached)
        notes = [problem, training.problem]
        if reached < step and not training.problem:
            fig.unfinished = True
            notes.append(f"Training: step {reached * STEPS} of {step * STEPS} …")
        fig.note = " ".join(filter(None, notes))
        return fig

    def choice(names, description, value=None):
        options = [(name, name) for name in names]
        return widgets.Dropdown(options=options, value=value or next(iter(names)),
                                description=description)  # fmt: skip

    start = FRAMES // 2
    step = widgets.IntSlider(start, 0, FRAMES, description=f"time, {STEPS} steps each")
    play = widgets.Play(value=start, min=0, max=FRAMES, interval=200, description="play")
    widgets.link((play, "value"), (step, "value"))
    controls = {
        "step": step,
        "data": choice(data_sets, "data"),
        "noise": widgets.FloatSlider(0.15, min=0, max=0.5, step=0.05, description="noise"),
        "layers": choice(LAYERS, "hidden layers", layers),
        "lr": widgets.FloatLogSlider(lr, base=10, min=-3, max=1, step=0.25,
                                     description="learning rate", readout_format=".3f"),
    }  # fmt: skip
    controls["lr"].value = lr
    if named:
        controls["activation"] = choice(activations, "activation")
    if not (problem and reference is None):
        settings = {name: control.value for name, control in controls.items() if name != "step"}
        run(**settings).train_to(start)  # whole, so that the stored picture is the same anywhere
    return Panel(draw, controls, helpers=[play])


class Run:
    """One network, from its first weights on; what it was after every frame is kept."""

    def __init__(self, functions, points, hidden, lr, options):
        self.loss, self.forward = functions
        self.lr, self.options, self.problem = lr, options, ""
        x, y = points
        held = np.arange(len(x)) % 3 == 2
        self.train, self.held = (x[~held], y[~held]), (x[held], y[held])
        self.grid, self.extent = surface_grid(x)
        rng = np.random.default_rng(0)
        sizes = (2, *hidden, int(y.max()) + 1)
        self.frames = [[
            (rng.normal(size=shape) * np.sqrt(2 / shape[0]), np.zeros(shape[1]))
            for shape in pairwise(sizes)
        ]]  # fmt: skip
        self.losses = [self._losses(self.frames[0])]

    def train_to(self, frame, budget=np.inf):
        """Go on until the frame is known or the time is spent; the frame that can be shown."""
        end = time.perf_counter() + budget
        while len(self.frames) <= frame and not self.problem and time.perf_counter() < end:
            answer = ask(self._steps, self.frames[-1], blame=self.loss)
            if answer.problem:
                self.problem = answer.sentence
                break
            losses = self._losses(answer.value)
            if not np.max(np.abs(losses)) < TOO_MUCH:  # nor a number any more
                self.problem = f"After step {len(self.frames) * STEPS - STEPS} the loss explodes."
                self.problem += " The learning rate is too high."
                break
            self.frames.append(answer.value)
            self.losses.append(losses)
        return min(frame, len(self.frames) - 1)

    def _steps(self, parameters):
        for _ in range(STEPS):
            _, gradients = _loss_and_gradients(self.loss, *self.train, parameters, self.options)
            parameters = [
                (w - self.lr * dw, b - self.lr * db)
                for (w, b), (dw, db) in zip(parameters, gradients, strict=True)
            ]
        return parameters

    def _losses(self, parameters):
        """Of the training and of the held-out points."""
        losses = []
        for x, y in (self.train, self.held):
            answer = ask(
                _loss_and_gradients, self.loss, x, y, parameters, self.options, blame=self.loss
            )
            self.problem = self.problem or answer.sentence
            losses.append(0.0 if answer.problem else answer.value[0])
        return losses

    def figure(self, frame):
        parameters = self.frames[frame]
        losses = (STEPS * np.arange(frame + 1), *np.transpose(self.losses[: frame + 1]))
        every = np.concatenate([self.grid, self.train[0], self.held[0]])
        answer = ask(_scores, self.forward, every, parameters, self.options, blame=self.forward)
        if answer.problem:
            raise ValueError(answer.sentence)
        scores = np.where(np.isfinite(answer.value), answer.value, 0)
        scores = scores - scores.max(axis=1, keepdims=True)
        p = np.exp(scores)
        p /= p.sum(axis=1, keepdims=True)
        n, m = len(self.grid), len(self.train[1])
        predicted = scores[n:].argmax(axis=1)
        right = [float(np.mean(predicted[:m] == self.train[1])),
                 float(np.mean(predicted[m:] == self.held[1]))]  # fmt: skip
        lines = parameters[0] if len(parameters) > 1 else None
        return training_surface(p[:n], self.extent, self.train, self.held, losses,
                                accuracies=right, lines=lines, n_steps=FRAMES * STEPS)  # fmt: skip


def _loss_and_gradients(mlp_loss, x, y, parameters, options):
    """What mlp_loss returned, if it has the form it should have."""
    returned = mlp_loss(x, y, parameters, **options)
    if returned is None:
        raise NotImplementedError
    if not (isinstance(returned, tuple) and len(returned) == 2):
        raise Unfit("return the pair (loss, gradients)")
    loss, gradients = returned
    shapes = [(np.shape(w), np.shape(b)) for w, b in parameters]
    if [tuple(np.shape(g) for g in pair) for pair in gradients] != shapes:
        raise Unfit("return gradients as a list of (dw, db) with the shapes of (w, b)")
    return float(loss), gradients


def _scores(mlp_forward, x, parameters, options):
    returned = mlp_forward(x, parameters, **options)
    if returned is None:
        raise NotImplementedError
    scores = np.asarray(returned[0] if isinstance(returned, tuple) else returned, dtype=float)
    shape = (len(x), len(parameters[-1][1]))
    if scores.shape != shape:
        raise Unfit(f"return scores of shape {shape}, it returned {scores.shape}")
    return scores


def _first_problem(functions, data_sets):
    """Why the learner's functions cannot be used, in a sentence; "" if they can."""
    x, y = next(iter(data_sets.values()))(0.15)
    run = Run(functions, (x, y), (2,), 0.1, {})
    answer = ask(run._steps, run.frames[0], blame=functions[0])
    if answer.problem:
        return answer.sentence
    return ask(_scores, functions[1], x, run.frames[0], {}, blame=functions[1]).sentence
