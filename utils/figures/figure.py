"""A figure that knows how to say in words what it shows.

No pyplot: no global state, no window, and 0.2 s less to import. A figure that ends a cell is
shown; its alt text is stored beside the picture and is what nbval compares, so the numbers in
it are rounded to what does not change from machine to machine.
"""

import base64
import functools
import io

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure as MatplotlibFigure
from PIL import Image

# Okabe and Ito, "Color Universal Design" (2008): distinguishable with any common color vision.
# Ordered so that the first ones, used most, lie farthest apart.
BLUE, ORANGE, GREEN, VERMILLION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, BLACK, YELLOW = "#CC79A7", "#56B4E9", "#000000", "#F0E442"
PALETTE = (BLUE, ORANGE, GREEN, PURPLE, BLACK, SKY, VERMILLION, YELLOW)
MARKERS = ("o", "s", "^", "D", "X", "v", "P", "*", "<", ">")  # color is never the only sign
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
GREY = "#666666"

STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "mathtext.fontset": "dejavusans",
    "axes.titlesize": 11.5,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.titley": 1.0,  # or every drawing measures every tick label to place the title
    "axes.labelsize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.grid": False,
    "axes.axisbelow": True,
    "axes.prop_cycle": mpl.cycler(color=PALETTE),
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.8,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": "#333333",
    "ytick.labelcolor": "#333333",
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "lines.linewidth": 2.0,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "hatch.linewidth": 0.7,
    "image.cmap": "gray",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


class Figure(MatplotlibFigure):
    """A matplotlib figure in the style of the course.

    alt  : one or two plain sentences with the numbers that the figure shows
    note : a line about the state it shows, for the status line of a panel
    photographic : holds color photographs, which need more than 256 colors
    unfinished : shows where a long computation has come to; a panel draws again to go on
    """

    def __init__(self, width=6.4, height=4.0):
        super().__init__(figsize=(width, height), dpi=100, layout="constrained", facecolor="white")
        self.get_layout_engine().set(w_pad=0.09, h_pad=0.09)  # inches of air around every axes
        FigureCanvasAgg(self)
        self.alt = ""
        self.note = ""
        self.photographic = False
        self.unfinished = False

    def __repr__(self):
        return self.alt

    def size(self):
        """Width and height at which to show it, in CSS pixels."""
        width, height = self.get_size_inches() * 100
        return round(width), round(height)

    def png(self, scale=2.0, fast=False):
        """The picture as bytes; scale 2 is sharp on screens of high density.

        Stored pictures are reduced to 256 colors, which the eye does not notice and which
        makes a notebook half as large; fast leaves that out, for panels that redraw.
        """
        pixels = Image.fromarray(self._pixels(scale)).convert("RGB")
        buffer = io.BytesIO()
        if fast:
            pixels.save(buffer, "png", compress_level=1)
            return buffer.getvalue()
        if not self.photographic:
            pixels = pixels.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        pixels.save(buffer, "png", optimize=True)
        return buffer.getvalue()

    def _pixels(self, scale):
        """Drawn once: savefig would draw everything twice, to be sure of the layout."""
        dpi = self.dpi
        self.set_dpi(100 * scale)
        try:
            with mpl.rc_context(STYLE):  # ticks are made late, while drawing
                self.canvas.draw()
            return np.array(self.canvas.buffer_rgba())
        finally:
            self.set_dpi(dpi)

    def _repr_mimebundle_(self, include=None, exclude=None):
        return mimebundle(self.png(), self.alt, self.size())


def mimebundle(png, alt, size):
    """What a notebook stores for a picture: (data, metadata)."""
    data = {"image/png": base64.b64encode(png).decode("ascii"), "text/plain": alt}
    width, height = size
    return data, {"image/png": {"alt": alt, "width": width, "height": height}}


def styled(draw):
    """Make a function draw in the style of the course, without touching anybody's settings."""

    @functools.wraps(draw)
    def wrapper(*args, **kwargs):
        with mpl.rc_context(STYLE):
            return draw(*args, **kwargs)

    return wrapper


def color(i):
    return PALETTE[i % len(PALETTE)]


def marker(i):
    return MARKERS[i % len(MARKERS)]


def line(i):
    return LINES[i % len(LINES)]


def tint(c, strength=0.25):
    """A color mixed with white: the background of its class."""
    return tuple(1 - strength * (1 - np.array(to_rgb(c))))


def number(x, digits=3):
    """A number as one says it: rounded, without a signed zero or an exponent where avoidable."""
    x = float(x)
    if not np.isfinite(x):
        return str(x)
    if x == 0 or abs(x) < 1e-12:
        return "0"
    if abs(x) >= 1000:
        return f"{x:.0f}"
    if abs(x) < 1e-3:
        return f"{x:.0e}"
    return f"{float(f'{x:.{digits}g}'):g}"


def percent(share):
    return f"{100 * share:.1f} %"


def listing(words):
    """ "a, b and c"."""
    words = [str(word) for word in words]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def plural(n, noun):
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def class_labels(values):
    """What to call classes that have no names; -1 and +1 keep their signs."""
    signed = min(values) < 0
    return [f"class {value:+d}" if signed else f"class {value}" for value in values]


@styled
def message(text, width=6.4, height=2.0):
    """A figure that only says something, where there is nothing to draw."""
    import textwrap

    fig = Figure(width, height)
    lines = textwrap.fill(text, width=int(width * 11))
    fig.text(0.5, 0.5, lines, ha="center", va="center", color=GREY, parse_math=False)
    fig.alt = text
    return fig
