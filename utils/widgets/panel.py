"""A picture with controls."""

import asyncio
from html import escape

import ipywidgets as widgets

from utils.figures.figure import message, mimebundle

SCALE = 1.25  # between the speed of 1 and the sharpness of 2
DELAY = 0.03  # seconds that a moving slider may rest before the picture follows

CAPTION = '<div aria-live="polite" style="color:#555;font-size:0.86em;line-height:1.4">{}</div>'
STATUS = '<div role="status" style="line-height:1.4">{}</div>'


class Panel(widgets.VBox):
    """Controls, the picture they make, what it shows in words, and one line of status.

    draw(**values) -> Figure is called with the value of every control; the alt text of the
    figure stands under the picture (an Image widget has none of its own), its note in the
    status. A function that draws raises ValueError to say in the status what is wrong.

    controls : {name: ipywidgets control}, each with a description; all are worked by keyboard
    helpers : widgets shown beside the controls that are not values themselves, such as Play
    strict : let exceptions through, for tests
    """

    strict = False

    def __init__(self, draw, controls, helpers=()):
        self.draw = draw
        self.controls = dict(controls)
        self.helpers = tuple(helpers)
        self.alt = ""
        self._pending = None
        self._places = {}  # where the axes lie, by figure size and number: laid out only once
        self._size = (640, 400)

        self.picture = widgets.Image(format="png")
        self.picture.layout.max_width, self.picture.layout.height = "100%", "auto"
        self.caption = widgets.HTML(layout=widgets.Layout(max_width="900px"))
        self.status = widgets.HTML(layout=widgets.Layout(max_width="900px"))
        for control in (*self.controls.values(), *self.helpers):
            self._make_room(control)
        for control in self.controls.values():
            control.observe(self._moved, names="value")
        row = widgets.HBox(
            [*self.helpers, *self.controls.values()],
            layout=widgets.Layout(flex_flow="row wrap", align_items="center"),
        )
        super().__init__([row, self.picture, self.status, self.caption])
        self.add_class("course-panel")
        self.redraw()

    @staticmethod
    def _make_room(control):
        """Descriptions are never cut, and a row wraps where the window is narrow."""
        if not isinstance(control, widgets.Play):
            control.style.description_width = "initial"
        wide = isinstance(control, (widgets.IntSlider, widgets.FloatSlider, widgets.FloatLogSlider))
        if control.layout.width is None:
            control.layout.width = "330px" if wide else "auto"
        control.layout.margin = "2px 18px 2px 0"

    def values(self):
        return {name: control.value for name, control in self.controls.items()}

    def set(self, **values):
        """Move controls from code and redraw once."""
        for name, value in values.items():
            self.controls[name].unobserve(self._moved, names="value")
            try:
                self.controls[name].value = value
            finally:
                self.controls[name].observe(self._moved, names="value")
        self.redraw()

    def _moved(self, _change):
        if not self._later():
            self.redraw()

    def _later(self):
        """Draw soon, once the controls rest; False where no loop could: in a script or a test."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return False
        if self._pending is not None:
            self._pending.cancel()
        self._pending = loop.call_later(DELAY, self.redraw)
        return True

    def redraw(self):
        """Draw for the present values, now; what is unfinished is drawn again, to go on."""
        self._pending = None
        fig = self._drawn()
        while fig.unfinished and not self._later():
            fig = self._drawn()
        self._show(fig)

    def _drawn(self):
        try:
            return self.draw(**self.values())
        except Exception as error:
            if self.strict and not isinstance(error, ValueError):
                raise
            said = str(error) or type(error).__name__
            if not isinstance(error, ValueError):
                said = f"{type(error).__name__}: {said}"
            fig = message(said.splitlines()[0], *(side / 100 for side in self._size))
            fig.note = said.splitlines()[0]
            return fig

    def _show(self, fig):
        key = (fig.size(), len(fig.axes))
        if fig.get_layout_engine() is not None and key in self._places:
            fig.set_layout_engine("none")  # laying out takes longer than drawing, and it jumps
            for ax, place in zip(fig.axes, self._places[key], strict=True):
                ax.set_position(place)
        png = fig.png(SCALE, fast=True)
        self._places.setdefault(key, [ax.get_position(original=True) for ax in fig.axes])
        self.alt, self._size = fig.alt, fig.size()
        width, height = self._size
        with self.picture.hold_sync():  # one message for the picture, not three
            self.picture.width, self.picture.height = str(width), str(height)
            self.picture.value = png
        self.caption.value = CAPTION.format(escape(fig.alt))
        self.status.value = STATUS.format(escape(fig.note)) if fig.note else ""

    def __repr__(self):
        return self.alt

    def _repr_mimebundle_(self, **kwargs):
        view = super()._repr_mimebundle_(**kwargs)
        data, metadata = mimebundle(bytes(self.picture.value), self.alt, self._size)
        return {**view, **data}, metadata
