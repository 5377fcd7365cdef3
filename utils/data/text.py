"""Text that comes inside Python: no file to fetch, and enough to train a language model."""

import sysconfig
from pathlib import Path


def load_python_docs():
    """What Python's help() knows of the language: about half a million characters of English.

    The topics in the order of their names; the text differs a little between Python's releases.

    returns: str
    source : Python Software Foundation, The Python Language Reference, PSF license version 2
    """
    from pydoc_data.topics import topics

    return "\n\n".join(topics[name].strip() for name in sorted(topics)) + "\n"


def load_standard_library():
    """The source of the standard library's modules, one after the other, packages left out.

    Some millions of characters of Python; they differ between Python's releases.

    returns: str
    source : Python Software Foundation, PSF license version 2
    """
    files = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    return "\n\n".join(file.read_text(encoding="utf-8") for file in files)
