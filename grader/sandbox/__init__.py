"""A place for hostile code: bubblewrap around a warm parent, and namespaces around every fork.

bubblewrap.py   the outer wall
zygote.py       the warm parent, seen from outside
provisioner.py  a Jupyter kernel from a fork of it
stand_in.py     the student's names, seen from outside
inside/         what runs behind the wall
"""
