"""What runs inside the sandbox: `python -m inside`, the parent of all submissions' kernels.

Nothing of the grader is there but this folder, and nothing here knows a secret.
"""
