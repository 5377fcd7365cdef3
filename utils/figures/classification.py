"""Points of several classes, and what a classifier makes of them."""

import numpy as np
from matplotlib.patches import Circle, Polygon

from .figure import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    VERMILLION,
    Figure,
    class_labels,
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


def plane_grid(x, resolution=140, margin=0.08):
    """Points covering the plane around x: (resolution^2, 2), and the extent for imshow."""
    low, high = x.min(axis=0), x.max(axis=0)
    pad = margin * np.maximum(high - low, 1e-9)
    (left, bottom), (right, top) = low - pad, high + pad
    across, up = np.meshgrid(
        np.linspace(left, right, resolution), np.linspace(bottom, top, resolution)
    )
    return np.stack([across.ravel(), up.ravel()], axis=1), (left, right, bottom, top)


def draw_points(ax, x, y, class_names=None, size=30, legend=False):
    """One color and one marker per class."""
    classes = np.unique(y)
    names = class_names if class_names is not None else class_labels(classes)
    for i, label in enumerate(classes):
        at = y == label
        ax.plot(  # faster than scatter, which panels need
            *x[at].T,
            marker(i),
            color=color(i),
            markersize=np.sqrt(size),
            markeredgecolor="white",
            markeredgewidth=0.6,
            label=str(names[i]),
            zorder=3,
        )
    if legend:
        ax.legend(loc="best", handletextpad=0.1, frameon=True, framealpha=0.85, edgecolor="none")


def draw_regions(ax, labels, extent, classes):
    """Fill the plane with the tint of the predicted class; labels (G*G,) on plane_grid."""
    side = round(np.sqrt(len(labels)))
    tints = np.array([tint(color(i), 0.32) for i in range(len(classes))] + [(0.85, 0.85, 0.85)])
    index = np.searchsorted(classes, labels).clip(0, len(classes) - 1)
    index[np.asarray(classes)[index] != labels] = len(classes)  # a class nobody has: grey
    ax.imshow(
        (255 * tints[index]).astype(np.uint8).reshape(side, side, 3),
        extent=extent,
        origin="lower",
        aspect="auto",
        interpolation="bilinear",
        zorder=0,
    )


def draw_line(ax, w, b, level=0.0, **style):
    """The points where w.x + b = level, across the view that ax has now."""
    w, offset = np.asarray(w, dtype=float), level - float(b)
    squared = float(w @ w)
    if squared == 0:
        return
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    reach = np.hypot(right - left, top - bottom) + abs(left) + abs(right) + abs(bottom) + abs(top)
    center = np.array([(left + right) / 2, (bottom + top) / 2])
    foot = center + (offset - w @ center) * w / squared
    along = np.array([-w[1], w[0]]) / np.sqrt(squared) * reach
    ends = np.stack([foot - along, foot + along])
    ax.plot(*ends.T, scalex=False, scaley=False, **style)


def label_axes(ax, feature_names):
    names = feature_names if feature_names is not None else ("x1", "x2")
    ax.set(xlabel=names[0], ylabel=names[1])


@styled
def decision_regions(
    predict, x, y, *, class_names=None, feature_names=None, title="", resolution=140
):
    """Which class a classifier gives to every point of the plane.

    predict : function (G, 2) -> (G,) labels; or {title: function} for one panel each
    x, y : (N, 2) points and their labels, drawn on top
    """
    panels = predict if isinstance(predict, dict) else {title: predict}
    classes = np.unique(y)
    fig = Figure(max(5.6, 3.5 * len(panels)), 4.2 if len(panels) == 1 else 3.6)
    axes = fig.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    grid, extent = plane_grid(x, resolution)
    said = []
    for ax, (name, function) in zip(axes, panels.items(), strict=True):
        draw_regions(ax, _labels(function, grid), extent, classes)
        draw_points(ax, x, y, class_names, legend=ax is axes[0])
        ax.set(xlim=extent[:2], ylim=extent[2:], title=name, xlabel=(feature_names or ("x1",))[0])
        wrong = int((_labels(function, x) != y).sum())
        said.append(f"{name + ': ' if name else ''}{wrong} of {len(x)}")
    axes[0].set_ylabel((feature_names or ("", "x2"))[1])
    fig.alt = (
        f"Decision regions of {len(classes)} classes in the plane; "
        f"points that lie in another class's region: {'; '.join(said)}."
    )
    return fig


def _labels(predict, points):
    labels = np.asarray(predict(points))
    if labels.shape != (len(points),):
        raise ValueError(f"predict should return ({len(points)},) labels, got {labels.shape}")
    return labels


@styled
def metric_balls(points=((2.6, 2.6), (0.4, 4.2)), query=(0.0, 0.0), names=None):
    """The same neighbors measured by L1 and by L2: who is nearest depends on the metric.

    points : (M, 2) candidates;  query : (2,)
    The ball of each metric around the query is drawn through its nearest candidate.
    """
    points, query = np.asarray(points, dtype=float), np.asarray(query, dtype=float)
    names = names or [chr(ord("A") + i) for i in range(len(points))]
    distances = {
        "L1": np.abs(points - query).sum(axis=1),
        "L2": np.sqrt(((points - query) ** 2).sum(axis=1)),
    }
    fig = Figure(8.4, 4.2)
    axes = fig.subplots(1, 2, sharex=True, sharey=True)
    said = []
    for ax, (metric, d) in zip(axes, distances.items(), strict=True):
        best = int(d.argmin())
        r = d[best]
        shape = {"facecolor": tint(BLUE, 0.2), "edgecolor": BLUE, "zorder": 0}
        corners = query + r * np.array([(1, 0), (0, 1), (-1, 0), (0, -1)])
        ax.add_patch(Polygon(corners, **shape) if metric == "L1" else Circle(query, r, **shape))
        ax.scatter(*query, marker="*", s=130, c=[BLACK], zorder=3)
        ax.annotate("query", query, (0, -14), textcoords="offset points", ha="center", va="top")
        for i, point in enumerate(points):
            mine = i == best
            ax.scatter(
                *point,
                s=90,
                c=[GREEN if mine else ORANGE],
                marker=marker(0 if mine else 1),
                edgecolors=BLACK if mine else "white",
                linewidths=1.5 if mine else 0.6,
                zorder=3,
            )
            text = f"{names[i]}: {d[i]:.2f}" + (" nearest" if mine else "")
            at = {"textcoords": "offset points", "va": "center"}
            ax.annotate(text, point, (9, 7), weight="bold" if mine else "normal", **at)
        ax.set(title=f"By {metric}, {names[best]} is nearest", aspect="equal", xlabel="x1")
        each = listing(f"{name} {number(value)}" for name, value in zip(names, d, strict=True))
        said.append(f"By {metric} the distances are {each}, so {names[best]} is nearest")
    everything = np.concatenate([points - query, -np.abs(points - query), np.zeros((1, 2))])
    reach = max(np.abs(everything).max(), max(d.min() for d in distances.values())) * 1.15
    axes[0].set(
        xlim=(query[0] - reach, query[0] + 1.25 * reach),
        ylim=(query[1] - reach, query[1] + reach),
        ylabel="x2",
    )
    fig.alt = ". ".join(said) + "."
    return fig


@styled
def confusion(matrix, class_names, *, title=None):
    """How often each true class (row) was called each class (column).

    matrix : (C, C) counts
    """
    matrix = np.asarray(matrix)
    n_classes = len(matrix)
    fig = Figure(1.9 + 0.44 * max(n_classes, 5), 1.5 + 0.4 * max(n_classes, 5))
    ax = fig.subplots()
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for i in range(n_classes):
        for j in range(n_classes):
            if matrix[i, j]:
                ax.text(
                    j,
                    i,
                    str(int(matrix[i, j])),
                    ha="center",
                    va="center",
                    size=9,
                    color="white" if shares[i, j] > 0.5 else "#222222",
                    weight="normal" if i == j else "bold",
                )
    long = max(len(str(name)) for name in class_names) > 4
    ax.set_xticks(
        range(n_classes),
        class_names,
        rotation=40 if long else 0,
        ha="right" if long else "center",
        rotation_mode="anchor",
    )
    if not long:
        ax.tick_params(axis="x", pad=12)
        for text in ax.get_xticklabels():
            text.set_verticalalignment("center")
    ax.set_yticks(range(n_classes), class_names)
    ax.set(xlabel="predicted class", ylabel="true class")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    right, total = int(np.trace(matrix)), int(matrix.sum())
    ax.set_title(title or f"{right} of {total} right")
    off = matrix - np.diag(np.diag(matrix))
    fig.alt = f"Confusion matrix: {right} of {total} right ({percent(right / max(total, 1))})"
    if off.max() > 0:
        i, j = np.unravel_index(off.argmax(), off.shape)
        often = f"{class_names[i]} called {class_names[j]}, {plural(int(off[i, j]), 'time')}"
        fig.alt += f"; most frequent mistake: {often}"
    fig.alt += "."
    return fig


@styled
def linear_boundary(w, b, x, y, *, margin=False, class_names=None, feature_names=None, title=None):
    """A linear classifier of two classes: where its score is 0, and, if asked, -1 and +1.

    w : (2,), b : number; x : (N, 2); y : (N,) two values, the larger one is the side w points to
    margin : draw the lines of score -1 and +1 and ring the support vectors, the points on
             or inside the margin of their class
    """
    w, b = np.asarray(w, dtype=float), float(b)
    signs = np.where(y == np.max(y), 1, -1)
    scores = x @ w + b
    _, extent = plane_grid(x, 2)
    fig = Figure(*_size_of_plane(extent, below=1.5 if margin else 1.3))
    ax = fig.subplots()
    ax.set(xlim=extent[:2], ylim=extent[2:])
    ax.set_aspect("equal")
    draw_points(ax, x, y, class_names, size=38)
    draw_line(ax, w, b, color=BLACK, label="score 0: the boundary")
    length = float(np.sqrt(w @ w))
    mistakes = int((signs * scores <= 0).sum())
    fig.alt = (
        f"Linear boundary with w = ({number(w[0])}, {number(w[1])}), b = {number(b)}: "
        f"{mistakes} of {len(x)} points on the wrong side"
    )
    if margin and length > 0:
        for level in (-1, 1):
            label = "score −1 and +1: the margin" if level == 1 else None
            draw_line(ax, w, b, level, color=GREY, linestyle="--", linewidth=1.3, label=label)
        support = signs * scores <= 1 + 1e-3
        ax.scatter(
            *x[support].T,
            s=150,
            facecolors="none",
            edgecolors=BLACK,
            linewidths=1.4,
            zorder=4,
            label="support vectors",
        )
        fig.alt += (
            f"; the margin is {number(2 / length)} wide and "
            f"{plural(int(support.sum()), 'support vector')} lie on or inside it"
        )
        title = title or f"Margin {number(2 / length)} wide, {int(support.sum())} support vectors"
    fig.alt += "."
    draw_arrow(ax, w, b, avoid=x)
    label_axes(ax, feature_names)
    ax.set_title(title or f"{mistakes} of {len(x)} points on the wrong side")
    fig.legend(loc="outside lower center", ncols=3, handletextpad=0.6)
    return fig


@styled
def signed_distances(w, b, points, *, title="Signed distance: score divided by |w|"):
    """How far each point lies from the line w.x + b = 0, and on which side.

    w : (2,), b : number;  points : (M, 2), named A, B, C, ...
    """
    w, b, points = np.asarray(w, dtype=float), float(b), np.asarray(points, dtype=float)
    length = float(np.sqrt(w @ w))
    distances = (points @ w + b) / length
    feet = points - distances[:, None] * w / length
    names = [chr(ord("A") + i) for i in range(len(points))]
    _, extent = plane_grid(np.concatenate([points, feet]), 2, margin=0.22)
    fig = Figure(*_size_of_plane(extent))
    ax = fig.subplots()
    ax.set(xlim=extent[:2], ylim=extent[2:], aspect="equal", title=title)
    draw_line(ax, w, b, color=BLACK)
    for name, point, foot, d in zip(names, points, feet, distances, strict=True):
        side = 0 if d > 0 else 1
        ax.plot(*np.stack([point, foot]).T, color=GREY, linestyle="--", linewidth=1.3, zorder=1)
        style = {"markeredgecolor": "white", "markersize": 10, "zorder": 3}
        ax.plot(*point, marker(side), color=color(side), **style)
        sign = "+" if d > 0 else "−" if d < 0 else ""
        away = np.sign(d or 1) * w / length * 15
        place = {"textcoords": "offset points", "ha": "center", "va": "center"}
        ax.annotate(f"{name}: {sign}{number(abs(d))}", point, away, **place)
    draw_arrow(ax, w, b)
    label_axes(ax, None)
    each = listing(f"{name} {number(d)}" for name, d in zip(names, distances, strict=True))
    fig.alt = (
        f"The line with w = ({number(w[0])}, {number(w[1])}), b = {number(b)}, and "
        f"{plural(len(points), 'point')} with their signed distances from it: {each}."
    )
    return fig


def draw_arrow(ax, w, b, share=0.16, avoid=None):
    """w as an arrow from the boundary, where that is in view: the side of positive score.

    avoid : (N, 2) points; the arrow stands where it keeps away from them, or else in the middle
    """
    squared = float(w @ w)
    if squared == 0:
        return
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    corner, size = np.array([left, bottom]), np.array([right - left, top - bottom])
    center = corner + size / 2
    foot = center - (w @ center + b) * w / squared
    step = share * size.min() * w / np.sqrt(squared)
    if avoid is not None:
        along = np.linspace(-0.5, 0.5, 41)[:, None] * np.hypot(*size)
        feet = foot + along * [-w[1], w[0]] / np.sqrt(squared)
        ends = np.stack([feet, feet + 1.4 * step])  # the name stands beyond the tip
        inside = ((ends > corner + 0.04 * size) & (ends < corner + 0.96 * size)).all(axis=(0, 2))
        away = np.linalg.norm((feet + step)[:, None] - avoid, axis=2).min(axis=1)
        foot = feet[np.where(inside, away, -1).argmax()] if inside.any() else foot
    if not ((foot > corner) & (foot < corner + size)).all():
        return
    tip = foot + step
    ax.annotate(
        "",
        xy=tip,
        xytext=foot,
        arrowprops={"arrowstyle": "-|>", "color": BLACK, "linewidth": 1.8, "shrinkA": 0},
        annotation_clip=True,
    )
    beyond = 9 * w / np.sqrt(squared)
    place = {"textcoords": "offset points", "ha": "center", "va": "center"}
    ax.annotate("w", tip, beyond, weight="bold", annotation_clip=True, **place)


def _size_of_plane(extent, below=0.9, width=6.4):
    """Inches for one axes of equal aspect: no blank strips above and below, or at the sides."""
    left, right, bottom, top = extent
    ratio = (top - bottom) / (right - left)
    height = np.clip(ratio * (width - 0.9), 1.8, 4.2)
    return min(width, height / ratio + 1.1), height + below


def perceptron_run(perceptron_step, x, y, *, order=None, max_updates=40, max_epochs=50):
    """Every update of a perceptron that starts at zero, until an epoch passes without one.

    perceptron_step : (w, b, x (D,), y) -> (w, b)
    order : indices in which the examples are visited in every epoch
    returns: list of updates (seen, i, (w, b) before, (w, b) after), seen = examples visited
             so far; and whether the last epoch was free of mistakes
    """
    order = np.arange(len(x)) if order is None else np.asarray(order)
    w, b = np.zeros(x.shape[1]), 0.0
    updates, seen = [], 0
    for _ in range(max_epochs):
        moved = False
        for i in order:
            seen += 1
            w_new, b_new = perceptron_step(w.copy(), b, x[i].copy(), int(y[i]))
            w_new, b_new = np.array(w_new, dtype=float), float(b_new)
            if not (np.array_equal(w_new, w) and b_new == b):
                moved = True
                updates.append((seen, int(i), (w, b), (w_new, b_new)))
                w, b = w_new, b_new
                if len(updates) == max_updates:
                    return updates, False
        if not moved:
            return updates, True
    return updates, False


def draw_perceptron_frame(ax, update, x, y, class_names=None, legend=False):
    """The example that was wrong, the boundary before it (dashed) and after (solid)."""
    _, i, (w, b), (w_new, b_new) = update
    _, extent = plane_grid(x, 2)
    ax.set(xlim=extent[:2], ylim=extent[2:], aspect="equal")
    draw_points(ax, x, y, class_names, size=22)
    draw_line(ax, w, b, color=GREY, linestyle="--", linewidth=1.4, label="before")
    draw_line(ax, w_new, b_new, color=BLACK, label="after")
    ax.scatter(
        *x[i], s=170, facecolors="none", edgecolors=VERMILLION, linewidths=2.2, zorder=4,
        label="misclassified example",
    )  # fmt: skip
    draw_arrow(ax, w_new, b_new)
    wrong = int((y * (x @ w_new + b_new) <= 0).sum())
    if legend:
        handles, labels = ax.get_legend_handles_labels()
        ax.figure.legend(handles, labels, loc="outside lower center", ncols=len(handles))
    return wrong


@styled
def perceptron_updates(perceptron_step, x, y, *, frames=6, order=None, feature_names=None):
    """The first updates of a perceptron, frame by frame.

    perceptron_step : (w, b, x (2,), y) -> (w, b), y in {-1, +1}
    x, y : (N, 2), (N,) in {-1, +1};  order : indices, the order of visits
    """
    updates, finished = perceptron_run(perceptron_step, x, y, order=order)
    if not updates:
        return message_no_update()
    shown = updates[:frames]
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    fig = Figure(max(6.4, 3.0 * columns), 2.5 * rows + 0.6)
    axes = fig.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    wrong = []
    for k, update in enumerate(shown):
        ax = axes.flat[k]
        mistakes = draw_perceptron_frame(ax, update, x, y, legend=k == min(1, len(shown) - 1))
        wrong.append(mistakes)
        ax.set_title(f"update {k + 1}: {mistakes} wrong")
    for ax in axes.flat[len(shown) :]:
        ax.set_axis_off()
    names = feature_names or ("x1", "x2")
    for ax in axes[-1]:
        ax.set_xlabel(names[0])
    for ax in axes[:, 0]:
        ax.set_ylabel(names[1])
    end = (
        f"no mistake is left after {plural(len(updates), 'update')}"
        if finished
        else f"mistakes remain after {plural(len(updates), 'update')}"
    )
    fig.alt = (
        f"The first {plural(len(shown), 'perceptron update')}: points on the wrong side after each "
        f"{listing(wrong)} of {len(x)}; {end}."
    )
    return fig


def message_no_update():
    from .figure import message

    return message("The perceptron made no update: the step returned w and b as they came.")


@styled
def margin_losses(w, b, x, signs, losses, curves, *, view=None, feature_names=None, title=None):
    """A boundary in the plane, and what each point costs by its margin sign * (w.x + b).

    losses : {name: mean loss of these points}
    curves : {name: (margins, loss of one example at each)}
    view : (left, right, bottom, top), fixed where the figure is redrawn
    """
    w, b = np.asarray(w, dtype=float), float(b)
    margins = signs * (x @ w + b)
    fig = Figure(9.0, 3.9)
    fig.get_layout_engine().set(wspace=0.06)
    plane, chart = fig.subplots(1, 2, width_ratios=(1, 1.05))
    left, right, bottom, top = view or plane_grid(x, 2)[1]
    plane.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    draw_points(plane, x, signs, size=34)
    draw_line(plane, w, b, color=BLACK)
    for level in (-1, 1):
        draw_line(plane, w, b, level, color=GREY, linestyle="--", linewidth=1.2)
    draw_arrow(plane, w, b)
    wrong = margins <= 0
    plane.scatter(
        *x[wrong].T, s=120, facecolors="none", edgecolors=VERMILLION, linewidths=1.8, zorder=4
    )
    mistakes = int(wrong.sum())
    label_axes(plane, feature_names)
    plane.set_title(title or f"{mistakes} of {len(x)} on the wrong side (ringed)")

    for i, (name, (at, cost)) in enumerate(curves.items()):
        paint = (BLUE, ORANGE, GREEN, PURPLE)[i % 4]
        label = f"{name}, mean {losses[name]:.2f}"
        chart.plot(at, cost, color=paint, linestyle=line(i), label=label)
        inside = margins.clip(at[0], at[-1])
        chart.scatter(
            inside, np.interp(inside, at, cost), s=16, c=[paint], marker=marker(i), zorder=3
        )
    chart.axvline(0, color=GREY, linewidth=0.8)
    low = min(at[0] for at, _ in curves.values())
    high = max(at[-1] for at, _ in curves.values())
    chart.set(
        xlim=(low, high),
        ylim=(-0.15, 1 - low + 0.2),
        xlabel="margin: sign × (w·x + b)",
        ylabel="loss of one example",
        title="Each point on the loss",
    )
    chart.legend(loc="upper right")
    each = listing(f"{name} {losses[name]:.2f}" for name in losses)
    fig.alt = (
        f"Boundary with w = ({number(w[0])}, {number(w[1])}), b = {number(b)}: "
        f"{mistakes} of {len(x)} points on the wrong side; mean loss: {each}."
    )
    return fig


@styled
def feature_lift(lift, x, y, w, b, *, lifted_names, class_names=None, feature_names=None):
    """What no line separates in the plane, a line separates among other features.

    lift : function (N, 2) -> (N, 2), the features;  w : (2,), b : a linear classifier of them
    """
    w, b = np.asarray(w, dtype=float), float(b)
    fig = Figure(9.0, 4.0)
    plane, lifted = fig.subplots(1, 2)
    grid, extent = plane_grid(x, 160)
    scores = (lift(grid) @ w + b).reshape(160, 160)
    draw_points(plane, x, y, class_names, legend=True)
    plane.contour(scores, levels=[0], extent=extent, colors=[BLACK], linewidths=2)
    plane.set(xlim=extent[:2], ylim=extent[2:], aspect="equal")
    plane.set_title("In the plane the boundary is curved")
    label_axes(plane, feature_names)
    features = lift(x)
    draw_points(lifted, features, y, class_names)
    _, extent = plane_grid(features, 2)
    lifted.set(xlim=extent[:2], ylim=extent[2:])
    draw_line(lifted, w, b, color=BLACK)
    lifted.set_title("Among the features it is straight")
    label_axes(lifted, lifted_names)
    signs = np.where(y == np.max(y), 1, -1)
    wrong = int((signs * (features @ w + b) <= 0).sum())
    fig.alt = (
        f"{len(x)} points of two classes in the plane, and the same points by "
        f"{lifted_names[0]} and {lifted_names[1]}, where one straight line leaves {wrong} of them "
        "on the wrong side; in the plane that line is a curve."
    )
    return fig


@styled
def boundary_lines(lines, x, y, *, class_names=None, feature_names=None, title=None):
    """Several linear rules for the same points.

    lines : {name: (w, b)}, w : (2,), b : number; the larger label is the side w points to
    """
    fig = Figure(7.2, 4.4)
    ax = fig.subplots()
    _, extent = plane_grid(x, 2)
    ax.set(xlim=extent[:2], ylim=extent[2:], aspect="equal")
    draw_points(ax, x, y, class_names, size=22)
    signs = np.where(y == np.max(y), 1, -1)
    said = []
    for i, (name, (w, b)) in enumerate(lines.items()):
        paint = (BLACK, GREEN, VERMILLION, PURPLE)[i % 4]
        wrong = int((signs * (x @ np.asarray(w, dtype=float) + b) <= 0).sum())
        draw_line(ax, w, b, color=paint, linestyle=line(i), linewidth=2.4, label=name)
        said.append(f"{name} {wrong}")
    label_axes(ax, feature_names)
    ax.set_title(title or "Linear rules for the same points")
    fig.legend(loc="outside right upper")
    fig.alt = (
        f"{len(lines)} straight boundaries among {len(x)} points; "
        f"points on the wrong side: {listing(said)}."
    )
    return fig
