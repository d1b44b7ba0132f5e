"""The gateway before its snapshot: SDKs are imported, nothing is connected, no client exists."""

import subprocess
import sys
from pathlib import Path

_PROGRAM = """
import socket, sys

def refuse(*arguments, **options):
    raise SystemExit("a connection was opened before the snapshot")

socket.socket.connect = refuse
import functions.models.gateway
loaded = {"anthropic", "openai"} & set(sys.modules)
assert not loaded, f"imported without a call: {loaded}"
from pentad.aws.clients import get_client
from pentad.runtime.wiring import gateway
import snapshot_restore_py as hooks
assert len(hooks._before_snapshot_registry) == 1
assert len(hooks._after_restore_registry) == 1
for function, arguments, options in hooks._before_snapshot_registry:
    function(*arguments, **options)
assert {"anthropic", "openai"} <= set(sys.modules)
kept = {**vars(gateway), "get_client": get_client}
made = [name for name, value in kept.items() if hasattr(value, "cache_info") and value.cache_info().currsize]
assert made == ["load_models"], f"made before the snapshot: {made}"
assert "boto3.session" not in sys.modules or not __import__("boto3").DEFAULT_SESSION
import random
frozen = random.getstate()
drawn = set()
for instance in range(3):
    random.setstate(frozen)
    for function, arguments, options in hooks._after_restore_registry:
        function(*arguments, **options)
    drawn.add(random.random())
assert len(drawn) == 3, "instances restored from one snapshot draw the same numbers"
print("primed")
"""


def test_priming_imports_both_sdks_makes_no_client_and_opens_no_connection(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        cwd=root,
        env={"PYTHONPATH": f"{root / 'shared'}:{root}", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.strip() == "primed", done.stderr + done.stdout
