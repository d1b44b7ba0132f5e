"""Faults of models' providers: they are down, slow, or count tokens otherwise."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

from pentad.cli.commands.operations.alarms.faults.asking import POLL_SECONDS, QUEUE_SECONDS, TENANT, ask, ingest
from pentad.cli.commands.operations.alarms.faults.platform import deny
from pentad.cli.commands.operations.alarms.faults.world import FaultWorld

ABSURD: Final = 1_000_000_000
EXPENSIVE: Final = 400_000
"""Tokens of a request: the window holds them, and they cost more than a run should."""
_CHATS: Final = ("messages", "responses", "completions")
_THINK_SECONDS: Final = 10.0
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


def drill_links(world: FaultWorld, broken: bool) -> None:
    """Send a tiny request to each link of each chain, as the stage does each day."""
    body = json.dumps({"op": "drill"}).encode()
    world.aws("lambda").invoke(FunctionName=f"{world.prefix}-gateway:live", Payload=body)["Payload"].read()


def leave_unsettled(world: FaultWorld, broken: bool) -> None:
    """Ask; while the model thinks, the gateway may count no more what it held of a budget before."""
    client, question = world.open_tenant(TENANT), f"What is {5 + broken} + 5? [confidence 0.95]"
    if not broken:
        ask(client, world.rated_agent, question)
        return
    world.simulator.add_faults(*({"kind": "delay", "path": path, "seconds": _THINK_SECONDS} for path in _CHATS))
    with ThreadPoolExecutor(1, "drill") as pool:
        since = int(time.time() * 1000)
        asked = pool.submit(ask, client, world.rated_agent, question)  # which searches nothing: it asks for no vector
        _await_attempt(world, since)
        with deny("gateway", "dynamodb:UpdateItem", table="TransientTable")(world):
            asked.result()


def _await_attempt(world: FaultWorld, since: int) -> None:
    """Wait until the gateway has told that it asks a model.

    Raises:
        TimeoutError: it does not.
    """
    log: dict[str, Any] = {"logGroupName": f"/aws/lambda/{world.prefix}-gateway", "startTime": since}
    until = time.monotonic() + QUEUE_SECONDS
    while not world.aws("logs").filter_log_events(filterPattern='"#BEGUN"', **log)["events"]:
        if time.monotonic() > until:
            raise TimeoutError(f"no model was asked within {QUEUE_SECONDS:g} s")
        time.sleep(POLL_SECONDS)


def _close_circuits(world: FaultWorld) -> None:
    """Close what the outage has opened, as ``pentad breaker close`` does; a function sees it within two seconds."""
    from pentad.models.breaker.adapters.breaker_dynamodb import DynamoCircuits
    from pentad.models.breaker.shared_breaker import CACHE_SECONDS, SharedBreaker

    breaker = SharedBreaker(DynamoCircuits(world.open_table("TransientTable")))
    for name in breaker.get_all(None):
        breaker.force(name, None)
    time.sleep(CACHE_SECONDS)


@contextmanager
def clear_after(world: FaultWorld) -> Iterator[None]:
    """Forget the faults that what is asked adds."""
    try:
        yield
    finally:
        world.simulator.clear_faults()


@contextmanager
def slow_models(world: FaultWorld) -> Iterator[None]:
    """Let each model think for a minute."""
    world.simulator.add_faults(*({"kind": "delay", "path": path, "seconds": SLOW_SECONDS} for path in _CHATS))
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
