"""LangGraph and LangChain are optional: nothing that every function loads imports them."""

import subprocess
import sys

CHECK = """
import sys
import pentad.runtime.wiring.api, pentad.runtime.wiring.gateway, pentad.runtime.wiring.tools.tool
import pentad.runtime.tool_entrypoint, pentad.tools.graphs.equipment, pentad.cli.main
from pentad.tools.declare.discovery import discover
discover()
print(sorted(name for name in sys.modules if name.split(".")[0] in ("langchain_core", "langgraph", "langsmith")))
"""


def test_nothing_imports_a_framework_unless_a_tool_does() -> None:
    done = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
