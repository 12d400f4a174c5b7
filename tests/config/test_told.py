"""A signal that comes while the main thread waits for it, at whichever instruction."""

import subprocess
import sys

from config.told import Told
from tests.rig import ROOT

SCRIPT = """
import faulthandler, signal
from config.told import Told
faulthandler.dump_traceback_later(30, exit=True)
for _ in range(20_000):  # an Event stops for ever within some thousands
    told = Told()
    signal.signal(signal.SIGALRM, lambda *_: told.set())
    signal.setitimer(signal.ITIMER_REAL, 0.00005)
    while not told.wait(0.00001):
        pass
print("through")
"""


def test_a_signal_never_waits_for_the_thread_it_interrupts():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "through\n", done.stderr[-2000:]


def test_waiting_ends_with_its_time():
    told = Told()
    assert not told.wait(0.01)
    told.set()
    assert told.wait(60)
