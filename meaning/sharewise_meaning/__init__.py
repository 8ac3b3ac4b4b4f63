"""Sentence vectors of all-MiniLM-L6-v2, computed offline with numpy alone.

Sets OPENBLAS_NUM_THREADS to 1 unless it is set, which counts only if numpy was not imported before.
"""

import os

# Short texts gain nothing from more threads; on a busy machine one question in a hundred takes ten times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from .encoder import load, vectors

__all__ = ["load", "vectors"]
