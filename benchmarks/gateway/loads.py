"""What it costs to load each library: seconds and modules, in fresh processes."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.stage import BenchError
from benchmarks.timing import Spread, spread

_SECONDS = 120.0
_GATEWAY = """
from pentad.models.providers.adapters.anthropic import AnthropicChat
from pentad.models.budgets.adapters.budgets_memory import MemoryBudget
from pentad.models.ledger.adapters.ledger_memory import MemoryLedger
from pentad.models.providers.adapters.openai import OpenAIChat
from pentad.models.cache.adapters.response_cache_memory import MemoryResponseCache
from pentad.models.gateway.budgeted import BudgetedChat
from pentad.models.cache.cache import CachedChat
from pentad.models.gateway.cascade import Cascade
from pentad.models.catalog.catalog import load
from pentad.models.breaker.shared_breaker import SharedBreaker
from pentad.models.gateway.compaction import CompactingChat
from pentad.models.gateway.gateway import Gateway
"""
LOADS = (
    ("httpx2", "pentad", "import httpx2"),
    ("Anthropic SDK", "pentad", "import anthropic; anthropic.Anthropic"),
    ("OpenAI SDK", "pentad", "import openai; openai.OpenAI"),
    ("Pentad's gateway, no call yet", "pentad", _GATEWAY),
    ("Pentad's gateway and catalog, no call yet", "pentad", f"{_GATEWAY}\nload()"),
    ("Pentad's gateway with the Anthropic SDK", "pentad", f"{_GATEWAY}\nimport anthropic; anthropic.Anthropic"),
    ("LiteLLM", "litellm", "import litellm; litellm.completion; litellm.Router"),
)
"""What is loaded, in which environment, and how."""
_FRAME = """
import json, sys, time
before = len(sys.modules)
began = time.perf_counter()
{code}
print(json.dumps([time.perf_counter() - began, len(sys.modules) - before]))
"""


@dataclass(frozen=True)
class Load:
    """One library: seconds, and modules beyond the interpreter's own."""

    label: str
    seconds: Spread
    modules: int


def load_once(root: Path, python: Path, code: str, environment: dict[str, str]) -> tuple[float, int]:
    """Return seconds and modules of one import in a fresh process.

    Raises:
        BenchError: it could not be loaded.
    """
    command = [str(python), "-c", _FRAME.format(code=code)]
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if done.returncode:
        raise BenchError(f"it can't be loaded: {code.splitlines()[-1]}\n{done.stderr[-500:]}")
    seconds, modules = json.loads(done.stdout.splitlines()[-1])
    return float(seconds), int(modules)


def all_loads(root: Path, pythons: dict[str, Path], environment: dict[str, str], times: int) -> list[Load]:
    """Return what each library costs, the libraries in turn; the first time of each is left out (bytecode, disk)."""
    seconds: dict[str, list[float]] = {label: [] for label, _, _ in LOADS}
    modules: dict[str, int] = {}
    for number in range(times + 1):
        for label, home, code in LOADS:
            if home not in pythons:
                continue
            took, modules[label] = load_once(root, pythons[home], code, environment)
            if number:
                seconds[label].append(took)
    return [Load(label, found, modules[label]) for label in modules if (found := spread(seconds[label])) is not None]
