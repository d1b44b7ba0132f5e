"""Faults of models' providers: they are down, slow, or count tokens otherwise."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

from pentad.cli.commands.operations.alarms.faults.asking import ingest
from pentad.cli.commands.operations.alarms.faults.world import FaultWorld

ABSURD: Final = 1_000_000_000
EXPENSIVE: Final = 400_000
"""Tokens of a request: the window holds them, and they cost more than a run should."""
SLOW_SECONDS: Final = 61.0
"""More than a request to a model should take, and two more than a run should; the gateway does not give up yet."""


def fail_providers(provider: str = "") -> Callable[[FaultWorld], AbstractContextManager[None]]:
    """Return what lets a provider answer 529, or all."""

    @contextmanager
    def begin(world: FaultWorld) -> Iterator[None]:
        world.simulator.add_faults({"kind": "status", "status": 529, "provider": provider})
        try:
            yield
        finally:
            world.simulator.clear_faults()
            _close_circuits(world)

    return begin


def _close_circuits(world: FaultWorld) -> None:
    """Close what the outage has opened, as ``pentad breaker close`` does; a function sees it within two seconds."""
    from pentad.models.breaker.adapters.breaker_dynamodb import DynamoCircuits
    from pentad.models.breaker.shared_breaker import CACHE_SECONDS, SharedBreaker

    breaker = SharedBreaker(DynamoCircuits(world.open_table("TransientTable")))
    for name in breaker.get_all(None):
        breaker.force(name, None)
    time.sleep(CACHE_SECONDS)


@contextmanager
def slow_models(world: FaultWorld) -> Iterator[None]:
    """Let each model think for a minute."""
    world.simulator.add_faults(
        *({"kind": "delay", "path": path, "seconds": SLOW_SECONDS} for path in ("messages", "responses", "completions"))
    )
    try:
        yield
    finally:
        world.simulator.clear_faults()


@contextmanager
def slow_embedder(world: FaultWorld) -> Iterator[None]:
    """Let each embedding take four seconds."""
    ingest(world)
    world.simulator.add_faults({"kind": "delay", "path": "embeddings", "seconds": 4})
    try:
        yield
    finally:
        world.simulator.clear_faults()


def count_otherwise(tokens: int) -> Callable[[FaultWorld], AbstractContextManager[None]]:
    """Return what lets providers report so many tokens for each request."""
    usage: Mapping[str, Any] = {"input": tokens, "output": 5}

    @contextmanager
    def begin(world: FaultWorld) -> Iterator[None]:
        world.simulator.load_script(*[{"reply": {"text": "Four.", "usage": usage}}] * 20)
        try:
            yield
        finally:
            world.simulator.reset()

    return begin
