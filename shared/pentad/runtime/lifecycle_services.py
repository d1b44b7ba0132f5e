"""The wiring of what starts, cancels, switches off and redrives runs: a part of the bootstrap."""

from functools import cache
from typing import TYPE_CHECKING

from pentad.runtime import bootstrap, human_services
from pentad.runtime import settings as environment

if TYPE_CHECKING:
    from pentad.orchestration.lifecycle.cancel import CancelRun
    from pentad.orchestration.lifecycle.handle_message import Triggered
    from pentad.orchestration.lifecycle.start import StartRun
    from pentad.orchestration.switches.switchboard import Switches

StartingSettings = environment.ApiSettings | environment.TriggerSettings


@cache
def switches(service: str) -> "Switches":
    """Return the switchboard.

    Args:
        service: the function's name without the deployment's prefix.
    """
    from pentad.orchestration.switches.adapters.switches_dynamodb import DynamoSwitches
    from pentad.orchestration.switches.switchboard import Switches

    store = DynamoSwitches(bootstrap.table(bootstrap.settings(environment.StateTable).transient_table))
    return Switches(store, bootstrap.telemetry(service), bootstrap.now)


def cancel_run(service: str, values: StartingSettings) -> "CancelRun":
    """Return what cancels runs."""
    from pentad.orchestration.lifecycle.cancel import CancelRun

    return CancelRun(
        bootstrap.runs(),
        bootstrap.approvals(None),
        bootstrap.engine(values.state_machine_arn_prefix),
        human_services.events(values.event_bus),
        bootstrap.telemetry(service),
        now=bootstrap.now,
    )


def start_run(service: str, values: StartingSettings) -> "StartRun":
    """Return what starts runs."""
    from pentad.orchestration.lifecycle.start import StartRun

    return StartRun(
        bootstrap.catalog(),
        bootstrap.runs(),
        bootstrap.engine(values.state_machine_arn_prefix),
        bootstrap.telemetry(service),
        now=bootstrap.now,
        switchboard=switches(service),
        cancel=cancel_run(service, values),
    )


def triggered() -> "Triggered":
    """Return the collaborator of functions.orchestration.trigger."""
    from pentad.orchestration.lifecycle.deliver import Deliver
    from pentad.orchestration.lifecycle.handle_message import Triggered
    from pentad.orchestration.lifecycle.redrive import Redrive
    from pentad.runtime import review_services
    from pentad.tools.runtime.adapters.effects_dynamodb import DynamoEffects

    values = bootstrap.settings(environment.TriggerSettings)
    start, telemetry = start_run("trigger", values), bootstrap.telemetry("trigger")
    redrive = Redrive(
        bootstrap.catalog(),
        bootstrap.runs(),
        bootstrap.sessions(),
        DynamoEffects(bootstrap.table(values.state_table)),
        start,
        bootstrap.engine(values.state_machine_arn_prefix),
        now=bootstrap.now,
    )
    aborts = Deliver(
        bootstrap.runs(),
        bootstrap.sessions(),
        bootstrap.approvals(None),
        human_services.events(values.event_bus),
        telemetry,
        now=bootstrap.now,
        reviews=review_services.reviews("trigger"),
    )
    return Triggered(start, redrive, aborts, bootstrap.runs(), telemetry)
