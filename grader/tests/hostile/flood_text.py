"""Text without end, in millions of small pieces.

Verdict: not attempted or wrong or error
"""

while True:
    print("line", flush=True)
