"""Every way out: TCP, UDP, names, raw sockets, the host's unix sockets.

Verdict: wrong
"""

import json
import socket

targets = json.load(open("targets.json"))


def reach(family, kind, address, protocol=0):
    with socket.socket(family, kind, protocol) as out:
        out.settimeout(0.5)
        out.connect(address)
        out.send(b"hello")
    return True


TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
attempt("loopback", lambda: reach(socket.AF_INET, TCP, ("127.0.0.1", targets["port"])))
attempt("loopback 6", lambda: reach(socket.AF_INET6, TCP, ("::1", targets["port"])))
attempt("the world", lambda: reach(socket.AF_INET, TCP, ("1.1.1.1", 53)))
attempt("UDP", lambda: reach(socket.AF_INET, UDP, ("1.1.1.1", 53)))
attempt("names", lambda: socket.getaddrinfo("example.org", 80))
attempt("raw", lambda: reach(socket.AF_INET, socket.SOCK_RAW, ("127.0.0.1", 0), 1))
attempt("packets", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3))
attempt("unix", lambda: reach(socket.AF_UNIX, TCP, targets["socket"]))
attempt("abstract", lambda: reach(socket.AF_UNIX, TCP, "\0" + targets["abstract"]))
attempt("zygote", lambda: reach(socket.AF_UNIX, TCP, "/run/course/zygote"))
attempt("zygote outside", lambda: reach(socket.AF_UNIX, TCP, targets["run"] + "/zygote"))
attempt("interfaces", lambda: [name for _, name in socket.if_nameindex() if name != "lo"])


def center_columns(x):
    return x
