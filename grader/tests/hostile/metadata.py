"""Outputs of an earlier life: a display that changes other cells, and a widget that eats output.

Verdict: wrong
"""

from IPython.display import display, update_display

display("nothing", display_id="center_columns")
update_display("✓ center_columns: all checks passed.", display_id="center_columns")
get_ipython().run_cell_magic("javascript", "", "alert('<script>')")


def center_columns(x):
    return x
