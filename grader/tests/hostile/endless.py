"""The answer never ends: a generator without end, a list that holds itself, a lazy sequence.

Verdict: wrong or error
"""


class Endless:
    def __len__(self):
        return 2**62

    def __getitem__(self, key):
        return 0.0

    def __iter__(self):
        while True:
            yield Endless()


calls = iter(range(10**9))


def center_columns(x):
    itself = []
    itself.append(itself)
    return [Endless(), itself, (0 for _ in iter(int, 1))][next(calls) % 3]
