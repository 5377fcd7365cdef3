"""JupyterLab as `make lab` starts it, in this folder: at the first unit, without questions."""

c = get_config()  # noqa: F821  (traitlets puts it here)

c.LabApp.default_url = "/lab/tree/course/00_start_here/start_here.ipynb"
c.ServerApp.allow_root = True  # in a container there is often nobody else
