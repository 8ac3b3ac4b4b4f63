"""A process that draws for weeks does not grow with every picture."""

from __future__ import annotations

import subprocess
import sys

DRAW = """
import os
from flows import catalogue, chart
machine = catalogue.open_book("hmg-2015").machine("sharing")
for number in range(13):
    chart.png(machine, tuple(f"{state}.no" for state in machine.states[:number]), machine.states[number])
    if number in (2, 12):
        print(int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20)
"""


def test_ten_pictures_more_take_little_more_memory():
    after_three, after_thirteen = map(int, subprocess.check_output([sys.executable, "-c", DRAW], text=True).split())
    assert after_thirteen - after_three < 40, "each would stay with eight megabytes"
