"""``pentad drill``: exercise what is needed on bad days only, on a good one."""

import json
import math
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pentad.cli import operator
from pentad.cli.commands.operations.alarms.shown import AlarmDrillResult, show_alarm_drill
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
from pentad.cli.screen import Grid, build_styled, choose_verb, format_count
from pentad.cli.synth import find_project_root
from pentad.cli.target import STATE_FOLDER
from pentad.domain.reading.json_text import read_json

if TYPE_CHECKING:
    from pentad.cli.commands.operations.alarms.alarm_drill import Take
    from pentad.cli.commands.operations.alarms.faults.world import MeasuredFault
    from pentad.cli.commands.twin.twin import Running
    from pentad.models.drill.ports import DrillResult
    from twin.alarms.metric_store import MetricKey
    from twin.alarms.statistics import Bucket
    from twin.running.twin import Twin

app = typer.Typer(help="Drills, run now.")
_SECONDS = 310.0  # the gateway's function ends after 300
_READY_SECONDS = 300.0
"""How long a snapshot, which takes a minute or two, is waited for."""


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
            well = count - len(result.broken)
            OUT.print(f"{well} of {format_count(count, 'link')} {choose_verb(well, 'answers', 'answer', of=count)}")
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

    A twin of its own, with two agents and a tool more, is given real faults, and what its functions and services
    measured of them is played on, minute after minute; for the other alarms a fault's signal is played. Each alarm has
    to go on, page once or open a ticket, and go off again. After a healthy day none may be on, nor in an hour of load.
    """
    with handle_errors():
        found = _drill_alarms(find_project_root(), tuple(only or ()), signals)
        show_alarm_drill(found)
        if not found.is_well:
            raise typer.Exit(EXIT_FAILED)


def _drill_alarms(root: Path, only: tuple[str, ...], signals: bool) -> AlarmDrillResult:
    from pentad.cli.commands.operations.alarms.alarm_drill import AlarmDrill
    from pentad.cli.commands.operations.alarms.drill_project import make_drill_project

    project = root if signals else make_drill_project(root, root / STATE_FOLDER / "drill")
    with TemporaryDirectory() as folder, run_twin(project, Path(folder)) as running:
        twin = running.twin
        twin.alarms.stop()
        alarms, composites = twin.deployment.metric_alarms, twin.deployment.composite_alarms
        where = (twin.alarms.target, open_inbox(twin), time.time())
        try:
            drill = AlarmDrill(alarms, composites, *where, only=only)
        except ValueError as error:
            raise CommandError(str(error), code=EXIT_USAGE) from error
        load, measured = ({}, []) if signals else _measure(running, drill.names, is_whole=not only)
        with ERR.show_status("drilling alarms: days pass in seconds"):
            return AlarmDrillResult(
                noise=drill.find_noise(),
                noise_of_load=drill.find_noise_of(load) if load else None,
                faults=[drill.run_fault(one) for one in measured],
                alarms=list(drill.run()),
            )


def _measure(
    running: "Running", alarms: Collection[str], *, is_whole: bool
) -> "tuple[Mapping[MetricKey, Bucket], list[MeasuredFault]]":
    """Return what a healthy twin measures where all is drilled, and what it does of each fault that raises an alarm."""
    from pentad.cli.commands.operations.alarms.drill_project import AGENT, RATED_AGENT
    from pentad.cli.commands.operations.alarms.faults.table import FAULTS, LOAD
    from pentad.cli.commands.operations.alarms.faults.world import FaultWorld, measure_fault, measure_load
    from pentad.cli.commands.operations.alarms.twin_measures import PassedTime, TwinMeasures, kill_processes
    from pentad.cli.commands.twin.options import PREFIX
    from twin.simulator import SimulatorControl

    twin = running.twin
    world = FaultWorld(
        twin.api_url,
        SimulatorControl(twin.simulator_url),
        twin.get_admin_client,
        twin.outputs[f"{PREFIX}-state"],
        PREFIX,
        agent=AGENT,
        rated_agent=RATED_AGENT,
        pass_hours=PassedTime(twin),
        kill_processes=kill_processes,
    )
    measures, found = TwinMeasures(twin), list["MeasuredFault"]()
    try:
        with ERR.show_status("a load without a fault"):
            load = measure_load(world, LOAD, measures) if is_whole else {}
        for fault in FAULTS:
            if any(fault.is_to_raise(name) for name in alarms):
                with ERR.show_status(f"{fault.name}: {fault.says}"):
                    found.append(measure_fault(world, fault, measures))
    finally:
        world.close()
    return load, found


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


def _invoke_drill(stage: str | None) -> "DrillResult":
    from botocore.exceptions import BotoCoreError, ClientError

    from pentad.aws.invoke import invoke_when_ready
    from pentad.models.drill.ports import DrillResult

    # The alias, which runs use: what is unpublished has no snapshot and may be another version.
    gateway = f"{operator.function_name(stage, 'gateway')}:live"
    try:
        client, call = operator.create_client("lambda", stage, read_timeout=_SECONDS), json.dumps({"op": "drill"})
        with ERR.show_status("asking each link"):
            deadline = time.time() + _READY_SECONDS
            reply = invoke_when_ready(client, gateway, call.encode(), deadline=deadline, sleep=_wait)
            data: Any = read_json(reply["Payload"].read())
    except (BotoCoreError, ClientError, ValueError) as error:
        raise CommandError(f"can't invoke '{gateway}': {error}", code=EXIT_UNAVAILABLE) from error
    if reply.get("FunctionError"):
        raise CommandError(f"the drill failed: {data.get('errorType')}: {data.get('errorMessage')}")
    return DrillResult.model_validate(data)


def _wait(seconds: float) -> None:
    ERR.print(f"the gateway is not ready yet (Lambda makes its snapshot, or is busy): again in {math.ceil(seconds)} s")
    time.sleep(seconds)


def _build_grid(result: "DrillResult") -> Grid:
    grid = Grid()
    for heading in ("tier", "link", "provider", "model", "", "ms", "error"):
        grid.add_column(heading, no_wrap=heading != "error", justify="right" if heading == "ms" else "left")
    for link in result.links:
        state = build_styled("ok", "green") if link.ok else build_styled(link.outcome or "not sent", "red")
        error = link.error or ""
        grid.add_row(link.tier, str(link.link), link.provider, link.model, state, str(link.duration_ms), error)
    return grid
