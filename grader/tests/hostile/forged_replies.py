"""The kernel's own code is replaced: every cell is said to have gone well, and none is run.

Verdict: wrong or error or crashed or timeout
Later cells are lost: the student has broken the kernel.
"""

kernel = get_ipython().kernel


async def do_execute(code, *args, **kwargs):
    return {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}


async def run_cell(*args, **kwargs):
    return None


kernel.do_execute = do_execute
kernel.shell.run_cell = kernel.shell.run_code = kernel.shell.run_cell_async = run_cell


def center_columns(x):
    return x
