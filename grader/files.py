"""Files that are there whole or not at all, and digests that tell one content from another."""

import hashlib
import os


def write_whole(path, content, mode=0o666):
    """Write text or bytes in one step, whenever the process is killed or the power fails.

    mode: who may read it, by the system's habits at most
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with open(part, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def digest(content):
    """The SHA-256 of text or bytes, in hexadecimal."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()
