"""The field in time: three waves of interest, and what happened in them."""

from .figure import BLUE, GREEN, GREY, ORANGE, Figure, styled, tint

WAVES = {  # name: (first year, last year; None: still going on)
    "cybernetics": (1943, 1969),
    "connectionism": (1982, 1995),
    "deep learning": (2006, None),
}
EVENTS = (  # (year, what)
    (1943, "McCulloch, Pitts: formal neuron"),
    (1949, "Hebb: learning by use"),
    (1958, "Rosenblatt: perceptron"),
    (1960, "Widrow, Hoff: least squares, ADALINE"),
    (1969, "Minsky, Papert: Perceptrons"),
    (1970, "Linnainmaa: reverse-mode derivatives"),
    (1980, "Fukushima: neocognitron"),
    (1982, "Hopfield: associative memory"),
    (1986, "Rumelhart, Hinton, Williams: backpropagation"),
    (1989, "LeCun: zip codes; Cybenko: approximation"),
    (1995, "Cortes, Vapnik: support vectors"),
    (1997, "Hochreiter, Schmidhuber: LSTM"),
    (2006, "Hinton: deep nets, layer by layer"),
    (2012, "AlexNet: ImageNet on two GPUs"),
    (2014, "Goodfellow: adversarial nets"),
    (2015, "He: ResNet, 152 layers"),
    (2017, "Vaswani: transformer"),
    (2020, "GPT-3: 175 billion parameters"),
)


@styled
def timeline(waves=None, events=None, *, until=2026, title="Three waves"):
    """Waves of interest as bands, events as lines of text in their order.

    waves : {name: (first year, last year, or None for today)};  events : [(year, text), ...]
    """
    waves, events = waves or WAVES, sorted(events or EVENTS)
    fig = Figure(9.2, 0.7 + 0.255 * len(events))
    ax = fig.subplots()
    n = len(events)
    said = []
    for (name, (start, end)), paint in zip(waves.items(), (ORANGE, BLUE, GREEN) * 9, strict=False):
        ax.axvspan(start, end or until, color=tint(paint, 0.3), linewidth=0, zorder=0)
        ax.text((start + (end or until)) / 2, -1.15, name, ha="center", va="center", weight="bold")
        inside = sum(start <= year <= (end or until) for year, _ in events)
        said.append(f"{name} {start} to {end or 'today'} with {inside} of the {n} events")
    first = min([year for year, _ in events] + [start for start, _ in waves.values()])
    middle = (first + until) / 2
    for row, (year, text) in enumerate(events):
        ax.plot(year, row, "o", color="#222222", ms=5, zorder=3)
        early = year < middle
        ax.annotate(
            f"{year}  {text}" if early else f"{text}  {year}", (year, row), (8 if early else -8, 0),
            textcoords="offset points", ha="left" if early else "right", va="center", size=9.5,
        )  # fmt: skip
    ax.set(xlim=(first - 2, until + 2), ylim=(n - 0.3, -1.9), yticks=[], xlabel="year")
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="x", color=GREY)
    ax.set_title(title)
    fig.alt = (
        f"{title} of research on neural networks: {'; '.join(said)}. The first event is "
        f"{events[0][0]}, {events[0][1]}; the last {events[-1][0]}, {events[-1][1]}."
    )
    return fig
