"""Alarms on money."""

from pentad.observability.alarms.limits import AlarmLimits
from pentad.observability.alarms.specs import AlarmMetric, AlarmSpec
from pentad.observability.metrics import names


def build_cost_alarms(limits: AlarmLimits) -> list[AlarmSpec]:
    """Return the alarms on what is spent in a day."""
    return [
        AlarmSpec(
            name="spend-daily",
            group="cost",
            severity="ticket",
            says="Models have cost more in a day than is planned",
            why=f"{limits.daily_usd:g} USD; budgets stop a tenant, this tells of all together",
            runbook="spend",
            signals={"cost": AlarmMetric(metric=names.MODEL_COST)},
            threshold=limits.daily_usd * 1e9,
            minutes=1440,
        ),
        AlarmSpec(
            name="spend-unusual",
            group="cost",
            severity="ticket",
            says="Models cost more in an hour than they usually do",
            why="what is usual differs by hour and weekday: a band of four deviations, twice in a row",
            runbook="spend",
            signals={"cost": AlarmMetric(metric=names.MODEL_COST)},
            comparison="above its band",
            threshold=4,
            minutes=60,
            periods=2,
            to_alarm=2,
        ),
    ]


def build_run_cost_alarms(limits: AlarmLimits) -> list[AlarmSpec]:
    """Return the alarms on what a run costs, and on what could not be counted."""
    return [
        AlarmSpec(
            name="run-expensive",
            group="cost",
            severity="ticket",
            says="A run costs more than is planned, on average",
            why=f"{limits.run_usd:g} USD over an hour and at least ten runs: a prompt, a loop or a price has changed",
            runbook="spend",
            signals={
                "cost": AlarmMetric(metric=names.RUN_COST),
                "runs": AlarmMetric(metric=names.RUN_COST, statistic="SampleCount"),
            },
            expression="IF(runs >= 10, cost / runs, 0)",
            threshold=limits.run_usd * 1e9,
            minutes=60,
        ),
        AlarmSpec(
            name="spend-unsettled",
            group="cost",
            severity="ticket",
            says="Costs could not be counted: budgets know less than was spent",
            why="each one is an error: what is spent is always counted in the end",
            runbook="spend",
            signals={"unsettled": AlarmMetric(metric=names.BUDGET_UNSETTLED)},
        ),
    ]
