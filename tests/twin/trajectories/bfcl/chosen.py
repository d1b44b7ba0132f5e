"""The entries that the ordinary suite replays; all of a category are for ``python -m benchmarks.trajectories``."""

from functools import cache
from pathlib import Path

from tests.twin.trajectories.bfcl.deployed import Benchmark
from tests.twin.trajectories.bfcl.entries import Entry, entries

# A turn of 34 calls that are much alike; a vehicle; orders; a journey, with two calls at once. They share few tools, of
# which each is a process to start.
NAMES = ("multi_turn_long_context_46", "multi_turn_base_79", "multi_turn_base_105", "multi_turn_base_192")


@cache
def chosen() -> dict[str, Entry]:
    """Return the entries by name."""
    return {
        entry.name: entry for category in ("base", "long_context") for entry in entries(category) if entry.name in NAMES
    }


@cache
def benchmark() -> Benchmark:
    """Return what they share."""
    return Benchmark.of(list(chosen().values()))


def put_into(project: Path) -> None:
    """Put the tools that they need, and the agent that has them, into a project."""
    benchmark().domain(list(chosen().values()), project)
