"""What the interpreter brings into the process."""

import subprocess
import sys


def loaded(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout.strip()


def test_the_interpreter_comes_without_batch_and_ec2() -> None:
    code = "import sys, twin.machine; print(any(n in sys.modules for n in ('moto.batch', 'moto.ec2')))"
    assert loaded(code) == "False"


def test_batch_can_be_imported_afterwards() -> None:
    code = "import twin.machine, moto.batch.utils; print(len(moto.batch.batch_backends) >= 0)"
    assert loaded(code) == "True"
