"""Numbers along an axis: scores against a choice, losses against time, errors against a step."""

import numpy as np

from .figure import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    VERMILLION,
    Figure,
    color,
    line,
    listing,
    marker,
    number,
    percent,
    plural,
    styled,
    tint,
)


def _share_axis(ax):
    ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g} %")


@styled
def cross_validation_curve(values, scores, *, xlabel="k", chosen=None, title=None):
    """Accuracy of every setting: one dot per fold, their mean, and one deviation each way.

    values : (V,) the settings tried;  scores : (V, folds), shares in [0, 1]
    chosen : the setting to mark; the first of the highest mean by default
    """
    values, scores = np.asarray(values), np.asarray(scores, dtype=float)
    if scores.ndim != 2 or len(scores) != len(values):
        raise ValueError(f"scores should be ({len(values)}, folds), got {scores.shape}")
    mean, deviation = scores.mean(axis=1), scores.std(axis=1)
    best = int(mean.argmax()) if chosen is None else int(np.flatnonzero(values == chosen)[0])
    folds = scores.shape[1]
    fig = Figure(6.6, 4.0)
    ax = fig.subplots()
    for fold in range(folds):
        label = "one fold" if fold == 0 else None
        ax.plot(values, scores[:, fold], "o", ms=4, mfc="none", mec=GREY, mew=0.8, label=label)
    ax.errorbar(
        values,
        mean,
        deviation,
        color=BLUE,
        capsize=4,
        elinewidth=1.3,
        label=f"mean of {folds} folds ± one deviation",
    )
    ax.plot(values[best], mean[best], "D", color=ORANGE, mec=BLACK, ms=9, zorder=4, label="chosen")
    _share_axis(ax)
    ax.grid(axis="y")
    ax.set(xlabel=xlabel, ylabel="accuracy on the fold held out")
    result = f"{percent(mean[best])} ± {percent(deviation[best])}"
    ax.set_title(title or f"{xlabel} = {values[best]} is chosen: {result}")
    ax.legend(loc="best")
    ends = listing(
        f"{percent(mean[i])} at {xlabel} = {values[i]}" for i in (0, len(values) - 1) if i != best
    )
    fig.alt = (
        f"Accuracy by {folds}-fold cross-validation for {len(values)} values of {xlabel}: "
        f"{xlabel} = {values[best]} reaches {result}; {ends}."
    )
    return fig


@styled
def loss_curve(histories, *, log=False, xlabel="epoch", ylabel="mean training loss", title=None):
    """How a loss fell: one labeled line each.

    histories : {name: losses}, or {name: (positions, losses)} where the steps are not 1, 2, 3...
    log : logarithmic loss axis
    """
    fig = Figure(6.8, 4.0)
    ax = fig.subplots()
    said = []
    for i, (name, history) in enumerate(histories.items()):
        at, losses = history if isinstance(history, tuple) else (None, history)
        losses = np.asarray(losses, dtype=float)
        at = np.arange(1, len(losses) + 1) if at is None else np.asarray(at)
        ax.plot(at, losses, color=color(i), linestyle=line(i), label=name)
        ax.plot(at[-1], losses[-1], marker(i), color=color(i), ms=6)
        said.append(f"{name} from {number(losses[0])} to {number(losses[-1])}")
    if log:
        ax.set_yscale("log")
    ax.grid(axis="y")
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title or "")
    ax.legend(loc="best")
    what = title or f"{ylabel[0].upper()}{ylabel[1:]} against {xlabel}"
    fig.alt = f"{what}: {'; '.join(said)}."
    return fig


SURROGATES = {
    "hinge: max(0, 1 − m)": lambda m: np.maximum(0, 1 - m),
    "squared hinge": lambda m: np.maximum(0, 1 - m) ** 2,
    "logistic, in bits: log2(1 + exp(−m))": lambda m: np.logaddexp(0, -m) / np.log(2),
    "exponential: exp(−m)": lambda m: np.exp(-m),
}


@styled
def surrogate_losses(losses=None):
    """Losses one can descend, each an upper bound of the 0/1 loss that one cannot.

    losses : {name: function of the margins m (M,) -> (M,)}; hinge, squared hinge, logistic and
             exponential by default. The logistic loss bounds the 0/1 loss when counted in bits:
             in nats it is log 2 = 0.69 < 1 at the boundary.
    """
    losses = losses or SURROGATES
    margins = np.linspace(-2.2, 2.6, 481)
    fig = Figure(7.0, 4.3)
    ax = fig.subplots()
    zero_one = (margins <= 0).astype(float)
    ax.fill_between(margins, zero_one, step="mid", color=tint(BLACK, 0.1), zorder=0)
    ax.step(margins, zero_one, where="mid", color=BLACK, linewidth=2.6, label="0/1: 1 if m ≤ 0")
    said = []
    for i, (name, loss) in enumerate(losses.items()):
        c = (BLUE, ORANGE, GREEN, PURPLE, VERMILLION)[i % 5]
        ax.plot(margins, loss(margins), color=c, linestyle=line(i), label=name)
        at = loss(np.array([-1.0, 0.0, 1.0]))
        said.append(f"{name.split(':')[0]} {listing(number(v) for v in at)}")
    ax.set(xlim=(-2.2, 2.6), ylim=(-0.05, 4.1))
    ax.set(xlabel="margin m = y · score  (right side if m > 0)", ylabel="loss of one example")
    below = [
        name.split(":")[0] for name, loss in losses.items() if (loss(margins) < zero_one).any()
    ]
    bound = f"not an upper bound: {listing(below)}" if below else "each on or above the 0/1 loss"
    ax.set_title(bound[0].upper() + bound[1:])
    ax.grid(axis="y")
    ax.legend(loc="upper right")
    fig.alt = (
        f"Losses against the margin, {bound}. At margins -1, 0 and 1 the 0/1 loss is 1, 1 and 0; "
        f"{'; '.join(said)}."
    )
    return fig


BANDS = (  # relative error at the top of the band, and how it is read
    (1e2, "wrong"),
    (1e-2, "suspicious"),
    (1e-4, "fine with kinks"),
    (1e-7, "good"),
)


@styled
def gradient_check_curve(steps, errors, *, title=None):
    """Relative error of a numeric gradient against its step: too large truncates, too small rounds.

    steps : (S,);  errors : {name: (S,) relative errors}, for example one-sided and centered
    """
    steps = np.asarray(steps, dtype=float)
    fig = Figure(7.0, 4.2)
    ax = fig.subplots()
    said = []
    for i, (name, error) in enumerate(errors.items()):
        error = np.maximum(np.asarray(error, dtype=float), 1e-17)
        best = int(error.argmin())
        ax.loglog(steps, error, color=color(i), linestyle=line(i), marker=marker(i), label=name)
        # only what rounding cannot move: which band the best reaches, and the error at the end
        reached = [top for top, _ in BANDS[1:] if error[best] < top]
        below = f"falls below {reached[-1]:.0e}" if reached else "never falls below 1e-02"
        said.append(f"{name} {below} and is {number(error[-1], 1)} at step {number(steps[-1])}")
    low = ax.get_ylim()[0]
    for i, (top, word) in enumerate(BANDS):
        bottom = BANDS[i + 1][0] if i + 1 < len(BANDS) else min(low, 1e-12)
        if i:
            ax.axhline(top, color=GREY, linewidth=0.9, linestyle=":", zorder=0)
        middle = np.sqrt(bottom * min(top, 10))
        style = {"color": GREY, "size": 9, "va": "center"}
        ax.text(1.02, middle, word, transform=ax.get_yaxis_transform(), **style)
    ax.set_ylim(min(low, 1e-12), 10)
    ax.legend(loc="best")
    ax.set(xlabel="step of the difference", ylabel="relative error")
    ax.set_title(title or "Too large a step truncates, too small a step rounds")
    fig.alt = f"Relative error of the numeric gradient against its step: {'; '.join(said)}."
    return fig


@styled
def selection_curve(curves, *, ylabel="accuracy", title=None):
    """Score against the number of features kept.

    curves : {name: (counts, scores)}; for backward elimination the counts run downwards
    """
    fig = Figure(6.6, 4.0)
    ax = fig.subplots()
    said = []
    for i, (name, (counts, scores)) in enumerate(curves.items()):
        counts, scores = np.asarray(counts), np.asarray(scores, dtype=float)
        best = int(scores.argmax())
        ax.plot(counts, scores, color=color(i), linestyle=line(i), marker=marker(i), label=name)
        ax.plot(counts[best], scores[best], "o", ms=14, mfc="none", mec=color(i), mew=1.6)
        said.append(
            f"{name} is best with {plural(int(counts[best]), 'feature')} ({percent(scores[best])})"
        )
    _share_axis(ax)
    ax.grid(axis="y")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set(xlabel="number of features", ylabel=ylabel)
    ax.set_title(title or "Rings mark the best number of features")
    ax.legend(loc="best")
    fig.alt = f"{ylabel[0].upper()}{ylabel[1:]} against the number of features: {'; '.join(said)}."
    return fig


@styled
def threshold_costs(values, positive, thresholds, costs, *, feature="feature", class_names=None):
    """A rule "positive if above the threshold": whom it separates, and what it costs.

    values : (N,) one feature;  positive : (N,) bool;  thresholds : (T,)
    costs : {name: (T,) mean cost at each threshold}; the first lowest of each is marked
    class_names : what to call the negative and the positive class
    """
    thresholds = np.asarray(thresholds, dtype=float)
    names = class_names or ("negative", "positive")
    fig = Figure(8.6, 3.9)
    left, right = fig.subplots(1, 2)
    edges = np.linspace(values.min(), values.max(), 31)
    kinds = zip((~positive, positive), names, (BLUE, ORANGE), ("", "////"), strict=True)
    for chosen, name, paint, hatch in kinds:
        style = {"facecolor": tint(paint, 0.45), "edgecolor": paint, "hatch": hatch, "alpha": 0.8}
        left.hist(values[chosen], edges, label=name, histtype="stepfilled", **style)
    left.set(xlabel=feature, ylabel="examples", title="Whom a threshold separates")
    said = []
    for i, (name, cost) in enumerate(costs.items()):
        cost = np.asarray(cost, dtype=float)
        best = int(cost.argmin())
        paint, style = (BLACK, VERMILLION, GREEN)[i % 3], line(i)
        right.plot(thresholds, cost, color=paint, linestyle=style, label=name)
        right.plot(thresholds[best], cost[best], marker(i), color=paint, ms=9, zorder=4)
        left.axvline(thresholds[best], color=paint, linestyle=style, linewidth=1.8)
        said.append(f"{name} {number(thresholds[best])}, mean cost {number(cost[best])}")
        place = {"textcoords": "offset points", "color": paint, "weight": "bold"}
        at = (thresholds[best], cost[best])
        right.annotate(number(thresholds[best]), at, (9, -4 if i else 6), **place)
    right.grid(axis="y")
    right.set(xlabel=f"threshold on {feature}", ylabel="mean cost of an example")
    right.set(title="What it costs", ylim=(0, None))
    left.legend(loc="upper right")
    right.legend(loc="upper center")
    fig.alt = (
        f"{int((~positive).sum())} {names[0]} and {int(positive.sum())} {names[1]} examples by "
        f"{feature}, and the cost of each threshold. Cheapest threshold: {'; '.join(said)}."
    )
    return fig


@styled
def best_of_many(seen, fresh, *, truth=0.5, bound=None, title=None):
    """The best accuracy among the first 1, 2, ... tries, and what it is worth on other examples.

    seen, fresh : (M,) accuracies of M classifiers on the examples that chose, and on others
    truth : what every one of them would reach on endless data
    bound : (M,) what the best of 1, 2, ... is expected to stay below, or None
    """
    seen, fresh = np.asarray(seen, dtype=float), np.asarray(fresh, dtype=float)
    tried = np.arange(1, len(seen) + 1)
    champion = np.array([seen[:m].argmax() for m in tried])
    fig = Figure(7.2, 4.0)
    ax = fig.subplots()
    ax.scatter(tried, seen, s=6, color=tint(BLUE, 0.35), zorder=0, label="one classifier")
    if bound is not None:
        ax.plot(tried, bound, color=GREY, linestyle=":", label="bound on the expected best")
    ax.step(tried, seen[champion], where="post", color=BLUE, label="best so far")
    ax.step(
        tried, fresh[champion], where="post", color=ORANGE, linestyle="--",
        label="the same one on fresh examples",
    )  # fmt: skip
    ax.axhline(truth, color=BLACK, linewidth=1)
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0f}")
    _share_axis(ax)
    ax.set(xlabel="classifiers tried", ylabel="accuracy", xlim=(1, len(seen)))
    best = champion[-1]
    result = f"{percent(seen[best])} where chosen, {percent(fresh[best])} elsewhere"
    ax.set_title(title or f"Best of {len(seen)}: {result}")
    fig.legend(loc="outside lower center", ncols=2)
    fig.alt = (
        f"The best of {len(seen)} classifiers reaches {percent(seen[best])} on the examples that "
        f"chose it and {percent(fresh[best])} on fresh ones; each is worth {percent(truth)}."
    )
    return fig
