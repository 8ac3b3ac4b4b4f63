"""Runs the tests on one thread: on a busy machine the threads of OpenBLAS wait for each other, ten times longer."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
