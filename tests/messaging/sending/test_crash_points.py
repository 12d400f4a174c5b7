"""The places where a test lets a worker die: each is on the way, and none does anything unless asked."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from messaging import sending
from messaging.sending.crash_points import NAMES

PASSING = """
import django; django.setup()
from messaging.sending.crash_points import crash_point
for n in (1, 2): crash_point("in_gate"); print(n)
"""


def pass_twice(crash_at: str) -> subprocess.CompletedProcess[str]:
    """A process that comes by the same point two times."""
    env = os.environ | {"CRASH_AT": crash_at}
    return subprocess.run([sys.executable, "-uc", PASSING], env=env, capture_output=True, text=True, check=False)


def test_every_point_stands_exactly_once_in_the_send_path():
    texts = [path.read_text() for path in Path(sending.__file__).parent.glob("*.py")]
    assert sorted(re.findall(r'crash_point\("(\w+)"\)', "".join(texts))) == sorted(NAMES)


@pytest.mark.parametrize(
    ("crash_at", "code", "said"),
    [
        ("", 0, "1\n2\n"),
        ("in_record", 0, "1\n2\n"),
        ("in_gate", -signal.SIGKILL, ""),
        ("in_gate:2", -signal.SIGKILL, "1\n"),
    ],
)
def test_a_process_dies_at_the_passage_it_is_armed_for(crash_at, code, said):
    done = pass_twice(crash_at)
    assert (done.returncode, done.stdout) == (code, said)
