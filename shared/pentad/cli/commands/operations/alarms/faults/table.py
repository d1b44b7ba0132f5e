"""The faults, of each class at least one; all other alarms are drilled by played signals."""

from collections.abc import Sequence
from contextlib import nullcontext

from pentad.cli.commands.operations.alarms.faults import platform, providers, users
from pentad.cli.commands.operations.alarms.faults.asking import ask_of
from pentad.cli.commands.operations.alarms.faults.world import RealFault

FAULTS: Sequence[RealFault] = (
    RealFault(
        name="providers-down",
        kind="availability",
        says="every provider answers 529",
        raises=("models-unreachable", "runs-failing", "slo-success-fast-60m", "slo-success-fast-5m"),
        begin=providers.fail_providers(),
        use=ask_of(5),
    ),
    RealFault(
        name="right-missing",
        kind="availability",
        says="Recall's role may not use its tables any more",
        raises=("functions-failing",),
        begin=platform.deny("recall"),
        use=ask_of(12),
    ),
    RealFault(
        name="api-denied",
        kind="availability",
        says="the API's role may not use its tables any more",
        raises=("api-failing",),
        begin=platform.deny("api"),
        use=platform.list_runs,
    ),
    RealFault(
        name="queue-denied",
        kind="availability",
        says="the trigger's role may not read the queue of runs any more, and a request waits there",
        raises=("requests-waiting",),
        begin=platform.deny("trigger", "sqs:ReceiveMessage"),
        use=platform.send_request,
    ),
    RealFault(
        name="poison-message",
        kind="availability",
        says="a message that nothing can read comes into each queue",
        raises=("runs-dead", "lifecycle-dead", "ingest-dead", "not-remembered", "not-erased", "notices-undelivered"),
        begin=platform.send_poison,
        use=platform.await_dead,
    ),
    RealFault(
        name="models-slow",
        kind="performance",
        says="each model thinks for a minute before it answers",
        raises=("models-slow", "runs-slow", "slo-latency-fast-60m", "slo-latency-fast-5m"),
        begin=providers.slow_models,
        use=ask_of(10, at_once=10),
    ),
    RealFault(
        name="embedder-slow",
        kind="performance",
        says="each embedding takes four seconds",
        raises=("recall-slow",),
        begin=providers.slow_embedder,
        use=ask_of(4),
    ),
    RealFault(
        name="answers-wrong",
        kind="quality",
        says="users call twenty answers wrong",
        raises=("unsatisfied",),
        begin=lambda world: nullcontext(),
        use=users.rate_answers,
    ),
    RealFault(
        name="requests-large",
        kind="cost",
        says="providers count 400,000 tokens for each request",
        raises=("run-expensive", "spend-daily", "spend-unusual", "estimates-off"),
        begin=providers.count_otherwise(providers.EXPENSIVE),
        use=ask_of(2),
    ),
    RealFault(
        name="budget-used-up",
        kind="cost",
        says="a tenant's budget of the day is used up",
        raises=("budget-refusals",),
        begin=users.use_up_budget,
        use=ask_of(2, broken_tenant_id=users.POOR),
    ),
    RealFault(
        name="usage-absurd",
        kind="cost",
        says="a provider reports a billion tokens",
        raises=("usage-absurd",),
        begin=providers.count_otherwise(providers.ABSURD),
        use=ask_of(2),
    ),
    RealFault(
        name="client-hurried",
        kind="capacity",
        says="a client makes costly requests without a pause",
        raises=("rates-refused",),
        begin=lambda world: nullcontext(),
        use=users.hurry,
    ),
)
