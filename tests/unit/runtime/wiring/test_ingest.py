"""The function that reads documents hides its process before it does anything else."""

import subprocess
import sys

import pytest

# prctl's PR_GET_DUMPABLE tells whether other processes of the user may look into this one.
_LOOK = """
import contextlib, ctypes
from pentad.runtime.wiring import ingest
before = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
with contextlib.suppress(Exception):  # its settings are not there: that comes afterwards
    ingest.make_ingest()
print(before, ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux shows a process's environment to others of its user")
def test_the_process_is_hidden_before_a_document_is_read() -> None:
    done = subprocess.run([sys.executable, "-c", _LOOK], capture_output=True, check=True, timeout=60)
    assert done.stdout.split() == [b"1", b"0"]
