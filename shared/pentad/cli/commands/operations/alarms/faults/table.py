"""The faults, of each class at least one, and the alarms that no laptop can raise by a real one."""

from collections.abc import Mapping, Sequence

from pentad.cli.commands.operations.alarms.faults import platform, providers, schedules, tools, users
from pentad.cli.commands.operations.alarms.faults.asking import ask_each, ask_of
from pentad.cli.commands.operations.alarms.faults.world import RealFault, Use

_LONG = " The tide turns." * 100
"""Of a short request nobody counts how far its estimate was off."""

FAULTS: Sequence[RealFault] = (
    RealFault(
        name="providers-down",
        kind="availability",
        says="every provider answers 529",
        raises=("models-unreachable", "circuit-open", "runs-failing", "slo-success-*"),
        begin=providers.fail_providers(),
        use=ask_of(9, broken_tenant_ids=users.TENANTS),
    ),
    RealFault(
        name="links-broken",
        kind="availability",
        says="every provider answers 529 while the links are drilled",
        raises=("link-*",),
        begin=providers.fail_providers(),
        use=providers.drill_links,
    ),
    RealFault(
        name="schedules-off",
        kind="availability",
        says="the rules of the daily drill and of the anchors are disabled",
        raises=("drill-missing", "anchors-missing"),
        begin=schedules.disable_rules,
        use=schedules.pass_day,
        silences=True,
    ),
    RealFault(
        name="machines-denied",
        kind="availability",
        says="the roles of state machines may not call functions any more",
        raises=("*-failures",),
        begin=platform.deny_machines,
        use=platform.fail_machines,
    ),
    RealFault(
        name="tool-broken",
        kind="availability",
        says="what a tool asks does not answer, in five calls",
        raises=("tools-unavailable",),
        begin=tools.heal_tool_after,
        use=tools.call_tool,
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
        name="processes-killed",
        kind="availability",
        says="Recall's processes are ended again and again",
        raises=("functions-killed",),
        begin=platform.kill("recall"),
        use=ask_of(4),
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
        raises=("models-slow", "runs-slow", "slo-latency-*"),
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
        says="an agent is sure of ten answers, which two users each call wrong",
        raises=("unsatisfied", "miscalibrated"),
        use=users.rate_answers,
    ),
    RealFault(
        name="turns-unsure",
        kind="quality",
        says="an agent is not sure of its answers, and humans have to take over",
        raises=("escalations",),
        use=users.ask_unsure,
    ),
    RealFault(
        name="requests-large",
        kind="cost",
        says="providers count 400,000 tokens for each request",
        raises=("run-expensive", "spend-daily", "spend-unusual", "estimates-off"),
        begin=providers.count_otherwise(providers.EXPENSIVE),
        use=ask_of(2, more=_LONG),
    ),
    RealFault(
        name="budget-used-up",
        kind="cost",
        says="a tenant's budget of the day is used up",
        raises=("budget-refusals",),
        begin=users.use_up_budget,
        use=ask_of(2, broken_tenant_ids=(users.POOR,)),
    ),
    RealFault(
        name="cost-uncounted",
        kind="cost",
        says="the gateway's role may not write counters any more while models answer",
        raises=("spend-unsettled",),
        begin=providers.clear_after,
        use=providers.leave_unsettled,
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
        use=users.hurry,
    ),
    RealFault(
        name="share-full",
        kind="capacity",
        says="calls that died hold all of a tenant's share of the gateway",
        raises=("shares-refused",),
        begin=users.fill_share,
        use=users.ask_crowded,
    ),
)

LOAD: Sequence[Use] = (ask_each(1), users.rate_answers, platform.list_runs)
"""What is asked of a stage that has no fault, and may raise no alarm."""

BY_SIGNALS: Mapping[str, str] = {
    "concurrency": "hundreds of function instances at once are more than a laptop holds",
}
"""Why an alarm is drilled by played signals alone."""
