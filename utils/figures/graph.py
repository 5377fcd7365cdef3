"""The graph of a computation: values flow to the right, gradients back to the left."""

from itertools import pairwise

from matplotlib.patches import FancyBboxPatch

from .figure import BLACK, BLUE, GREY, ORANGE, VERMILLION, Figure, number, styled, tint

WIDTH, HEIGHT = 1.2, 0.78  # of a node, in inches
COLUMN, ROW = 2.0, 1.05  # from node to node
LEGEND = "value, computed from left to right", "gradient, computed from right to left"


@styled
def computation_graph(nodes, *, at=None, title=None):
    """A small graph with the value and the gradient of every node, and the slope of every edge.

    nodes : list of dicts, inputs before outputs, as utils.reference.autodiff.Value.graph gives:
            label, value and gradient (None: not computed yet), inputs (places in the list) and,
            where known, slopes (d node / d input, for each input)
    at    : place of the node to mark, such as the one that backward has just come to
    The gradient of a node is the sum, over the edges that leave it, of slope times gradient at
    the other end.
    """
    _require_order(nodes, at)
    columns, edges = _layout(nodes)
    rows = max(map(len, columns))
    width, height = COLUMN * len(columns), ROW * rows + 0.75
    fig = Figure(max(width, 5.6), height)
    fig.set_layout_engine("none")  # data are inches
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set_axis_off()
    left = (fig.get_size_inches()[0] - width) / 2
    ax.set(xlim=(-left, width + left), ylim=(0, height))
    place = {}
    for c, column in enumerate(columns):
        for r, item in enumerate(column):
            middle = 0.3 + ROW * rows / 2
            place[item] = (COLUMN * (c + 0.5), middle + ROW * ((len(column) - 1) / 2 - r))
    for (source, target), way in edges.items():
        _edge(ax, [place[item] for item in way], _slopes(nodes[target], source))
    for i, node in enumerate(nodes):
        _node(ax, *place[i], node, marked=i == at)
    for x, text, paint in ((0.02, LEGEND[0], BLUE), (0.98, LEGEND[1], VERMILLION)):
        fig.text(x, 0.1 / height, text, ha="left" if x < 0.5 else "right", color=paint, size=9)
    title = title or "Beside an edge: the slope that the gradient is multiplied by on its way back"
    fig.text(0.02, 1 - 0.28 / height, title, size=10.5)
    fig.alt = _alt(nodes, at)
    return fig


def _layout(nodes):
    """(columns, edges): the items of each column from the top; the items each edge runs through.

    An item is a place in nodes, or (source, target, column) where an edge passes a column by,
    so that it has a row of its own there and crosses no node.
    """
    depth = []
    for node in nodes:
        depth.append(1 + max((depth[i] for i in node["inputs"]), default=-1))
    for i, node in enumerate(nodes):  # a leaf stands beside the first that uses it
        users = [depth[j] for j, user in enumerate(nodes) if i in user["inputs"]]
        if not node["inputs"] and users:
            depth[i] = min(users) - 1
    columns = [[] for _ in range(max(depth) + 1)]
    for i, d in enumerate(depth):
        columns[d].append(i)
    edges = {}
    for j, node in enumerate(nodes):
        for i in dict.fromkeys(node["inputs"]):
            passed = [(i, j, c) for c in range(depth[i] + 1, depth[j])]
            for item in passed:
                columns[item[2]].append(item)
            edges[i, j] = [i, *passed, j]
    _untangle(columns, edges.values())
    return columns, edges


def _untangle(columns, ways, sweeps=4):
    """Sort every column by where its neighbors in the next one stand, right to left and back."""
    links = [link for way in ways for link in pairwise(way)]
    after = {item: [b for a, b in links if a == item] for column in columns for item in column}
    before = {item: [a for a, b in links if b == item] for column in columns for item in column}
    for _ in range(sweeps):
        for order, neighbors in ((columns[::-1], after), (columns, before)):
            height = {}
            for column in order:
                known = {item: [height[n] for n in neighbors[item]] for item in column}
                mean = {item: sum(h) / len(h) if h else 0.5 for item, h in known.items()}
                if any(known.values()):
                    column.sort(key=mean.get)  # stable: ties stay as they were
                height |= {item: (r + 0.5) / len(column) for r, item in enumerate(column)}


def _slopes(node, source):
    slopes = node.get("slopes") or [None] * len(node["inputs"])
    pairs = zip(node["inputs"], slopes, strict=True)
    said = [number(s) for i, s in pairs if i == source and s is not None]
    if len(said) == 1:
        return said[0]
    return " + ".join(f"({s})" if s.startswith("-") else s for s in said)  # as for x in x * x


def _edge(ax, points, slopes):
    points = [
        (points[0][0] + WIDTH / 2, points[0][1]),
        *points[1:-1],
        (points[-1][0] - WIDTH / 2, points[-1][1]),
    ]
    ax.plot(*zip(*points, strict=True), color=GREY, linewidth=1.2, zorder=1)
    arrow = {"arrowstyle": "-|>", "color": GREY, "shrinkA": 0, "shrinkB": 0, "linewidth": 1.2}
    ax.annotate("", points[-1], points[-2], arrowprops=arrow, zorder=1)
    if slopes:
        (x0, y0), (x1, y1) = points[-2:]
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        style = {"ha": "center", "va": "center", "size": 9, "color": BLACK, "bbox": box}
        ax.text(x0 + 0.45 * (x1 - x0), y0 + 0.45 * (y1 - y0), slopes, zorder=2, **style)


def _node(ax, x, y, node, marked):
    corner = (x - WIDTH / 2 + 0.06, y - HEIGHT / 2 + 0.06)
    ax.add_patch(
        FancyBboxPatch(
            corner,
            WIDTH - 0.12,
            HEIGHT - 0.12,
            boxstyle="round,pad=0.06",
            facecolor=tint(ORANGE, 0.3) if marked else "white",
            edgecolor=BLACK if marked else GREY,
            linewidth=2.2 if marked else 1.1,
            linestyle="-" if node["inputs"] else "--",  # a leaf
            zorder=3,
        )
    )
    value, gradient = ("–" if v is None else number(v) for v in (node["value"], node["gradient"]))
    lines = ((node["label"], BLACK), (value, BLUE), (gradient, VERMILLION))
    for i, (text, paint) in enumerate(lines):
        weight = "normal" if i else "bold"
        style = {"ha": "center", "va": "center", "size": 9.5, "weight": weight, "color": paint}
        ax.text(x, y + 0.23 * (1 - i), text, zorder=4, parse_math=False, **style)


def _alt(nodes, at):
    said = []
    for node in nodes:
        gradient = "no gradient yet"
        if node["gradient"] is not None:
            gradient = f"gradient {number(node['gradient'])}"
        value = "no value yet" if node["value"] is None else number(node["value"])
        said.append(f"{node['label'] or 'a constant'} {value}, {gradient}")
    marked = "" if at is None else f" Marked: {nodes[at]['label'] or 'a constant'}."
    return f"Computation graph, inputs first: {'; '.join(said)}.{marked}"


def _require_order(nodes, at):
    late = [i for i, node in enumerate(nodes) if any(not 0 <= j < i for j in node["inputs"])]
    if not nodes or late:
        raise ValueError(
            f"nodes should be one or more, inputs before outputs, got {late} too early"
        )
    if at is not None and not 0 <= at < len(nodes):
        raise ValueError(f"at should be a place among {len(nodes)} nodes, got {at}")
