"""``pentad drill``: exercise what is needed on bad days only, on a good one."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pentad.cli import operator
from pentad.cli.commands.twin.twin import run_twin
from pentad.cli.console import (
    ERR,
    EXIT_FAILED,
    EXIT_UNAVAILABLE,
    EXIT_USAGE,
    OPTIONS,
    OUT,
    CommandError,
    handle_errors,
    print_json,
)
from pentad.cli.screen import Grid, build_line, build_styled
from pentad.cli.synth import find_project_root

if TYPE_CHECKING:
    from pentad.cli.commands.operations.alarms.alarm_drill import DrilledAlarm, DrilledFault, Take
    from pentad.cli.commands.operations.alarms.faults.world import MeasuredFault
    from pentad.cli.commands.twin.twin import Running
    from pentad.models.drill.ports import DrillResult
    from twin.running.twin import Twin

app = typer.Typer(help="Drills, run now.")
_SECONDS = 310.0  # the gateway's function ends after 300


@app.command("fallback")
def run_fallback_drill(stage: operator.Stage = None) -> None:
    """Send a tiny real request to each link of each chain; exit 1 where one does not answer."""
    with handle_errors():
        result = _invoke_drill(stage)
        if OPTIONS.json:
            print_json(result.model_dump(mode="json"))
        else:
            OUT.print(_build_grid(result))
            count = len(result.links)
            OUT.print(f"{count - len(result.broken)} of {count} links answer")
        if result.broken:
            raise typer.Exit(EXIT_FAILED)


@app.command("alarms")
def run_alarm_drill(
    only: Annotated[list[str] | None, typer.Option("--only", help="An alarm, without the stage's prefix.")] = None,
    signals: Annotated[
        bool, typer.Option("--signals", help="Play signals only; give the twin no real fault, which takes minutes.")
    ] = False,
) -> None:
    """Drill the alarms of a twin of this folder; exit 1 where one does not do as it should.

    A twin of its own is given real faults, and what its functions and services measured of them is played on, minute
    after minute; for the other alarms a fault's signal is played. Each alarm has to go on, page once or open a ticket,
    and go off again; after a healthy day none may be on.
    """
    from pentad.cli.commands.operations.alarms.alarm_drill import AlarmDrill

    with handle_errors():
        root = find_project_root()
        with TemporaryDirectory() as folder, run_twin(root, Path(folder)) as running:
            twin = running.twin
            twin.alarms.stop()
            alarms, composites = twin.deployment.metric_alarms, twin.deployment.composite_alarms
            where = (twin.alarms.target, open_inbox(twin), time.time())
            try:
                drill = AlarmDrill(alarms, composites, *where, only=tuple(only or ()))
            except ValueError as error:
                raise CommandError(str(error), code=EXIT_USAGE) from error
            measured = [] if signals else list(_measure_faults(running, tuple(only or ())))
            with ERR.show_status("drilling alarms: days pass in seconds"):
                noise, faults = drill.find_noise(), [drill.run_fault(one) for one in measured]
                drilled = list(drill.run())
        _show_alarm_drill(noise, faults, drilled)
        if noise or any(one.problem for one in faults) or any(one.problem for one in drilled):
            raise typer.Exit(EXIT_FAILED)


def _measure_faults(running: "Running", only: tuple[str, ...]) -> "Iterator[MeasuredFault]":
    """Give the twin each fault that raises one of these alarms, or all, and yield what was measured of it."""
    from pentad.cli.commands.operations.alarms.faults.table import FAULTS
    from pentad.cli.commands.operations.alarms.faults.world import FaultWorld, measure_fault
    from pentad.cli.commands.operations.alarms.twin_measures import TwinMeasures
    from pentad.cli.commands.twin.options import PREFIX
    from twin.simulator import SimulatorControl

    twin = running.twin
    control = SimulatorControl(twin.simulator_url)
    world = FaultWorld(twin.api_url, control, twin.get_admin_client, twin.outputs[f"{PREFIX}-state"], PREFIX)
    try:
        for fault in FAULTS:
            if not only or any(name.endswith(one) for one in only for name in fault.raises):
                with ERR.show_status(f"{fault.name}: {fault.says}"):
                    yield measure_fault(world, fault, TwinMeasures(twin))
    finally:
        world.close()


def _show_alarm_drill(noise: list[str], faults: "list[DrilledFault]", drilled: "list[DrilledAlarm]") -> None:
    proofs = {name: fault.name for fault in faults if not fault.problem for name in fault.raised}
    if OPTIONS.json:
        alarms = [{**asdict(one), "proven_by": proofs.get(one.name, "signal")} for one in drilled]
        print_json({"on_after_a_healthy_day": noise, "faults": [asdict(one) for one in faults], "alarms": alarms})
        return
    if faults:
        OUT.print(_build_fault_grid(faults))
    OUT.print(_build_alarm_grid(drilled, proofs))
    for name in noise:
        OUT.print(build_line("[red]{name} is in ALARM after a healthy day[/]", name=name))
    for what, ended in (("faults raise what they should", faults), ("alarms do as they should", drilled)):
        if ended:
            OUT.print(f"{sum(not one.problem for one in ended)} of {len(ended)} {what}")
    if faults:
        OUT.print(f"{len(proofs)} alarms were proven by a real fault, the others by a played signal")


def open_inbox(twin: "Twin") -> "Take":
    """Return what tells what the topics of a twin's alarms were told, by a queue that gets all of it."""
    sqs, sns = twin.get_admin_client("sqs"), twin.get_admin_client("sns")
    url = sqs.create_queue(QueueName="alarm-drill")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    for topic in sns.list_topics()["Topics"]:
        if topic["TopicArn"].endswith(("-pages", "-tickets")):
            sns.subscribe(TopicArn=topic["TopicArn"], Protocol="sqs", Endpoint=arn)

    def take() -> list[tuple[str, str, str]]:
        found: list[tuple[str, str, str]] = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for one in messages:
                body = json.loads(one["Body"])
                told = json.loads(body["Message"])
                found.append((body["TopicArn"], told["AlarmName"], told["NewStateValue"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        return found

    return take


def _build_fault_grid(faults: "list[DrilledFault]") -> Grid:
    grid = Grid()
    for heading in ("fault", "class", "what was done", "raised", "told", ""):
        grid.add_column(heading, no_wrap=heading in {"fault", "class"})
    for one in faults:
        told = [*(f"page: {name}" for name in one.pages), *(f"ticket: {name}" for name in one.tickets)]
        ended = build_styled("ok", "green") if not one.problem else one.problem
        grid.add_row(one.name, one.kind, one.says, ", ".join((*one.raised, *one.others)), ", ".join(told), ended)
    return grid


def _build_alarm_grid(drilled: "list[DrilledAlarm]", proofs: Mapping[str, str]) -> Grid:
    grid = Grid()
    for heading in ("alarm", "on after", "off after", "proven by", "told", ""):
        grid.add_column(heading, no_wrap=heading != "told", justify="right" if "after" in heading else "left")
    for one in drilled:
        minutes = [f"{each} min" if each is not None else "-" for each in (one.on_minutes, one.off_minutes)]
        told = ", ".join([*(f"page: {name}" for name in one.pages), *(f"ticket: {name}" for name in one.tickets)])
        proof = proofs.get(one.name, "signal")
        grid.add_row(one.name, *minutes, proof, told, build_styled("ok", "green") if not one.problem else one.problem)
    return grid


def _invoke_drill(stage: str | None) -> "DrillResult":
    from botocore.exceptions import BotoCoreError, ClientError

    from pentad.models.drill.ports import DrillResult

    # The alias, which runs use: what is unpublished has no snapshot and may be another version.
    gateway = f"{operator.function_name(stage, 'gateway')}:live"
    try:
        reply = operator.create_client("lambda", stage, read_timeout=_SECONDS).invoke(
            FunctionName=gateway, Payload=json.dumps({"op": "drill"}).encode()
        )
        data: Any = json.loads(reply["Payload"].read())
    except (BotoCoreError, ClientError, ValueError) as error:
        raise CommandError(f"can't invoke '{gateway}': {error}", code=EXIT_UNAVAILABLE) from error
    if reply.get("FunctionError"):
        raise CommandError(f"the drill failed: {data.get('errorType')}: {data.get('errorMessage')}")
    return DrillResult.model_validate(data)


def _build_grid(result: "DrillResult") -> Grid:
    grid = Grid()
    for heading in ("tier", "link", "provider", "model", "", "ms", "error"):
        grid.add_column(heading, no_wrap=heading != "error", justify="right" if heading == "ms" else "left")
    for link in result.links:
        state = build_styled("ok", "green") if link.ok else build_styled(link.outcome or "not sent", "red")
        error = link.error or ""
        grid.add_row(link.tier, str(link.link), link.provider, link.model, state, str(link.duration_ms), error)
    return grid
