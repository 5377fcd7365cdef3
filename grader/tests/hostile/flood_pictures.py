"""Large pictures, large messages, and many small ones of every kind.

Verdict: wrong or error
"""

from IPython.display import clear_output, display

for _ in range(4):
    display({"image/png": "A" * 10_000_000}, raw=True)
print("x" * 30_000_000)
for number in range(500):
    display(number, display_id=str(number))
    clear_output(wait=True)


class Wide:
    def __repr__(self):
        return "wide" * 5_000_000


def center_columns(x):
    print("x" * 10_000_000)
    return x


Wide()
