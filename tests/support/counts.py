"""What the tests counted, printed at the end of the run."""

from collections import Counter

COUNTS: Counter[str] = Counter()
