"""The kernel sends messages that are none: no content, wrong kinds, wrong signatures, bare bytes.

Verdict: wrong or error or crashed or timeout
"""

kernel = get_ipython().kernel
parent = kernel.get_parent("shell")
where = kernel.iopub_socket
for kind, content in [
    ("stream", {}),
    ("stream", {"name": 7, "text": ["no", "text"]}),
    ("display_data", {"data": 3, "metadata": None, "transient": []}),
    ("update_display_data", {"transient": {"display_id": ["no id"]}}),
    ("execute_input", {}),
    ("execute_result", []),
    ("error", {"ename": None}),
    ("clear_output", {}),
    ("comm_open", {"data": 5}),
    ("comm_msg", {"comm_id": {}}),
    ("status", {}),
    ("no such kind", {}),
]:
    kernel.session.send(where, kind, content, parent=parent, ident=b"x")
where.send_multipart([b"<IDS|MSG>", b"no signature", b"{", b"[", b"", b"nothing"])
where.send_multipart([b"noise"])


def center_columns(x):
    return x
