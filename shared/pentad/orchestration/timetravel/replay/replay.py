"""Run a recording again: the deployed routes and the real Think and Deliver, with nothing live.

The model, the tools and the humans say what they said then; the agent's definition and all code are those of now. What
comes out differently is a divergence, and the first one is the news.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pentad.domain.declarations.agents import AgentSpec, Catalog, ToolSpec
from pentad.domain.messages import Message
from pentad.domain.runs import CallStatus, Run, RunStatus
from pentad.domain.values import rename_to_fields
from pentad.memory.context.recall import Recall
from pentad.memory.sessions.ports import Session
from pentad.orchestration.lifecycle.advance import build_execution_input
from pentad.orchestration.lifecycle.deliver import Deliver
from pentad.orchestration.timetravel.fork import split_messages
from pentad.orchestration.timetravel.recording import RECORDED, RecordedMessage, RecordedStep, Recording, build_outcome
from pentad.orchestration.timetravel.replay.machine import Machine, MachineError, NotUnderstood
from pentad.orchestration.timetravel.replay.ports import Evaluator, MakeStores, ReplayStores
from pentad.orchestration.timetravel.replay.recorded_humans import Nobody, RecordedHumans
from pentad.orchestration.timetravel.replay.recorded_parts import (
    NoSearch,
    Over,
    RecordedAssessor,
    RecordedModel,
    RecordedSwitchboard,
    Tape,
)
from pentad.orchestration.timetravel.replay.report import Report, show
from pentad.orchestration.turn.think import Think, TurnInput

Json = dict[str, Any]
_LEASE_SECONDS = 10 * 365 * 86_400
_FAILED_CALL = frozenset({CallStatus.PENDING.value, CallStatus.AWAITING.value, CallStatus.APPROVED.value})


class CannotReplay(Exception):
    """The recording, or the definition, is not one that can be replayed; the message says why."""


class Replay:
    """One replay of one recording.

    Args:
        recording: what happened.
        definition: the agent's state machine, as it is deployed now.
        catalog: agents and tools as they are now.
        evaluate: evaluates the definition's expressions.
        make_stores: makes the stores that the replay fills.
    """

    def __init__(
        self,
        recording: Recording,
        definition: Json,
        catalog: Catalog,
        *,
        evaluate: Evaluator,
        make_stores: MakeStores,
    ) -> None:
        self._recording = recording
        self._definition = definition
        self._catalog = catalog
        self._evaluate = evaluate
        name = recording.definition.agent
        if name not in catalog.agents:
            raise CannotReplay(f"the agent '{name}' no longer exists")
        self._agent: AgentSpec = catalog.agents[name]
        self._time = recording.created_at
        self.tape = Tape(recording)
        stores = make_stores(self._now)
        self._sessions, self._runs = stores.sessions, stores.runs
        self._humans = RecordedHumans(self.tape, catalog, stores, self._now)
        self._assemble(stores)

    def _assemble(self, stores: ReplayStores) -> None:
        self._recall = Recall(
            sessions=self._sessions,
            vectors=stores.vectors,
            embedder=NoSearch(),
            runs=self._runs,
            telemetry=stores.telemetry,
            clock=self._now,
        )
        self._think = Think(
            self._catalog,
            self._runs,
            self._sessions,
            RecordedModel(self.tape, self._now),
            stores.ledger,
            stores.telemetry,
            now=self._now,
            switchboard=RecordedSwitchboard(self.tape),
            assessor=RecordedAssessor(self.tape),
        )
        self._deliver = Deliver(self._runs, self._sessions, stores.approvals, Nobody(), stores.telemetry, now=self._now)

    def __call__(self) -> Report:
        """Replay, and return what differs.

        Raises:
            CannotReplay: the machine's definition or the recording can't be followed.
        """
        run = self._begin()
        machine = Machine(self._definition, self._invoke, run.run_id, self._evaluate)
        try:
            machine.run(build_execution_input(run))
            self._compare_outcome(run)
        except Over:
            pass
        except MachineError as error:
            self._record_failure(run, error)
        except NotUnderstood as error:
            raise CannotReplay(str(error)) from error
        found = tuple(self.tape.findings.found)
        played = len(self.tape.requests)
        return Report(
            run_id=self._recording.run_id, agent=self._agent.name, steps=played, same=not found, divergences=found
        )

    def _now(self) -> datetime:
        return self._time

    def _begin(self) -> Run:
        """Bring session and run to where they stood as the execution began."""
        recording = self._recording
        earlier = [one for one in recording.context if one.seq < recording.request_seq]
        request = [one for one in recording.context if one.seq == recording.request_seq]
        copied = [one for one in recording.context if one.seq > recording.request_seq]
        if len(request) != 1:
            raise CannotReplay("the recording does not hold the run's message")
        run = self._build_run()
        if earlier:
            self._sessions.create(_build_session(run))
            self._append(run, earlier)
        stored = self._runs.start(
            run,
            _to_message(request[0]),
            session_days=self._agent.session_days,
            lease_seconds=_LEASE_SECONDS,
            new_session=not earlier,
        )
        for place, one in enumerate((*earlier, *request)):
            self._sessions.attach_passages(run.tenant_id, run.session_id, place, one.passages)
            self._sessions.attach_recalled(run.tenant_id, run.session_id, place, one.recalled)
            if one.remembered is not None:
                self._sessions.attach_remembered(run.tenant_id, run.session_id, place, one.remembered)
        self._append(run, copied)
        if copied and recording.manifest is not None:
            manifest = recording.manifest.model_copy(
                update={"epoch_first_seq": 0, "bare_before_seq": 0, "request_seq": stored.request_seq}
            )
            stored = self._runs.set_manifest(run.tenant_id, run.run_id, manifest)
        return stored

    def _build_run(self) -> Run:
        recording = self._recording
        return Run(
            tenant_id=RECORDED,
            run_id=recording.run_id,
            agent=self._agent.name,
            session_id=recording.session_id,
            status=RunStatus.QUEUED,
            trigger="api",
            created_at=recording.created_at,
            updated_at=recording.created_at,
            request_seq=0,
            request_hash=RECORDED,
            metadata=_initial_metadata(recording),
            overrides=recording.overrides,
            first_step=recording.first_step,
            taint=recording.taint,
        )

    def _append(self, run: Run, messages: list[RecordedMessage]) -> None:
        for part in split_messages([_to_message(one) for one in messages]):
            head = self._sessions.get(run.tenant_id, run.session_id)
            version = head.version if head is not None else 0
            self._sessions.append(run.tenant_id, run.session_id, part, expected_version=version)

    def _invoke(self, state: str, payload: Json) -> Any:
        """Answer a call of a function as its handler would."""
        match payload.get("op"):
            case None:
                return self._do_recall(payload)
            case "think":
                return self._do_think(payload)
            case "run":
                return self._do_tool(payload)
            case "request":
                return self._humans.ask(payload)
            case "expire":
                return self._humans.expire(payload)
            case "deliver":
                return _summarise_run(self._deliver.deliver(**_strip_op(payload)))
            case "abort":
                return _summarise_run(self._deliver.abort(**_strip_op(payload)))
            case other:
                raise NotUnderstood(f"a replay does not support the operation {other} ({state})")

    def _do_recall(self, payload: Json) -> Json:
        manifest = self._recall.run(
            payload["tenant"], payload["run"], payload["session"], self._agent, deadline=self._time.timestamp() + 60
        )
        recorded = self._recording.manifest
        if recorded is not None:
            base = self._recording.context[0].seq
            kept = recorded.epoch_first_seq - base
            self.tape.findings.compare(
                None, "context", "first message", f"number {kept}", f"number {manifest.epoch_first_seq}"
            )
        return {"passages": manifest.passages}

    def _do_think(self, payload: Json) -> Json:
        turn = TurnInput.model_validate(_strip_op(payload))
        self.tape.step = turn.step
        step = self.tape.find_step(turn.step)
        if step is not None:
            self._time = max(self._time, step.at)
        decision = self._think(turn, deadline=self._time.timestamp() + 3600)
        if step is None:
            raise self.tape.end(turn.step, f"a turn {turn.step} with the decision {decision.kind}")
        self._compare_decision(step, decision.model_dump(mode="json"))
        plain: Json = decision.model_dump(mode="json", exclude_none=True)
        return plain

    def _compare_decision(self, step: RecordedStep, now: Json) -> None:
        findings, recorded = self.tape.findings, step.decision.model_dump(mode="json")
        differs = findings.compare(step.step, "decision", "kind", _describe_decision(recorded), _describe_decision(now))
        calls = [(call["tool"], call["index"]) for call in now["calls"]]
        before = [(call["tool"], call["index"]) for call in recorded["calls"]]
        if differs or findings.compare(step.step, "calls", "to run", before, calls):
            # What comes next then is no answer to what comes next now.
            raise Over

    def _do_tool(self, payload: Json) -> Json:
        number, index = int(payload["step"]), int(payload["index"])
        call = self._runs.get_call(payload["tenant"], payload["run"], number, index)
        step = self.tape.find_step(number)
        recorded = next((one for one in step.calls if one.index == index), None) if step is not None else None
        if recorded is None or recorded.status in _FAILED_CALL:
            raise self.tape.end(number, f"{call.tool} is run (call {index})")
        differs = self.tape.findings.compare(number, "calls", f"tool of call {index}", recorded.tool, call.tool)
        if differs or self.tape.findings.compare(
            number, "calls", f"arguments of call {index}", recorded.arguments, call.arguments
        ):
            raise Over
        # An effect that was undone afterwards had succeeded when the model was told.
        status = CallStatus.SUCCEEDED if recorded.status == CallStatus.UNDONE else CallStatus(recorded.status)
        result = {name: getattr(recorded, name) for name in ("result", "is_error", "untrusted", "error_type")}
        times = {"status": status, "started_at": self._time, "ended_at": self._time}
        self._runs.save_call(call.model_copy(update=result | times))
        return {"index": index, "status": status.value}

    def _compare_outcome(self, run: Run) -> None:
        before, now = self._recording.outcome, build_outcome(self._runs.get(run.tenant_id, run.run_id))
        both_stopped = before.status is now.status is RunStatus.STOPPED
        for name in type(now).model_fields:
            if both_stopped and name == "answer":
                continue  # The agent's words, which are not model's; earlier recordings have the reason there.
            self.tape.findings.compare(None, "outcome", name, getattr(before, name), getattr(now, name))

    def _record_failure(self, run: Run, error: MachineError) -> None:
        if self._recording.outcome.status is RunStatus.FAILED:
            self._compare_outcome(run)
            return
        self.tape.findings.note(
            self.tape.step, "failure", error.error, f"the run ended {self._recording.outcome.status}", show(error.cause)
        )


def add_request_prints(
    recording: Recording, definition: Json, *, evaluate: Evaluator, make_stores: MakeStores
) -> Recording:
    """Return a recording with the prints of its requests, as the recorded definition and the code of now make them.

    Args:
        recording: what happened.
        definition: the agent's state machine, as it is deployed now.
        evaluate: evaluates the definition's expressions.
        make_stores: makes the stores that the replay fills.

    Raises:
        CannotReplay: the definition can't be followed.
    """
    play = Replay(recording, definition, _build_catalog(recording), evaluate=evaluate, make_stores=make_stores)
    play()
    return recording.model_copy(
        update={
            "steps": tuple(
                step.model_copy(update={"request": _as_defined(recording, play.tape, step.step)})
                for step in recording.steps
            )
        }
    )


def _as_defined(recording: Recording, tape: Tape, step: int) -> Any:
    """Return a turn's print with the digests of the recorded prompt and tools, which a replay has no words of."""
    sent = tape.requests.get(step)
    if sent is None:
        return None
    overrides = recording.overrides
    known = {} if overrides and overrides.prompt else {"system": recording.definition.prompt}
    return sent.model_copy(update=known | {"tools": {tool.name: tool.digest for tool in recording.definition.tools}})


def _build_catalog(recording: Recording) -> Catalog:
    """Return the catalog that a recording's decisions were made with, as far as they depend on it."""
    definition = recording.definition
    own: Mapping[str, ToolSpec] = {
        tool.name: ToolSpec(
            name=tool.name,
            description=RECORDED,
            input_schema={"type": "object", "$defs": {"listed": {"enum": list(tool.listed)}}} | tool.defaults,
            effects=tool.effects,
            approval=tool.approval,
            any_address=tool.any_address,
        )
        for tool in definition.tools
    }
    try:
        agent = AgentSpec.model_validate({**definition.settings, "prompt": RECORDED, "description": RECORDED})
    except ValueError as error:
        raise CannotReplay(f"this version can't read the recorded agent: {error}") from error
    return Catalog(agents={agent.name: agent}, tools=dict(own), policy=definition.policy)


def _summarise_run(run: Run) -> Json:
    return {"tenant": run.tenant_id, "run": run.run_id, "status": run.status.value}


def _strip_op(payload: Json) -> Json:
    return {name: value for name, value in rename_to_fields(payload).items() if name != "op"}


def _build_session(run: Run) -> Session:
    return Session(
        tenant_id=run.tenant_id,
        session_id=run.session_id,
        agent=run.agent,
        version=0,
        length=0,
        created_at=run.created_at,
        updated_at=run.created_at,
        expires_at=run.created_at + timedelta(days=3650),
    )


def _initial_metadata(recording: Recording) -> dict[str, str]:
    """Return the run's metadata without what humans were asked for on the way."""
    asked = {step.human.asks_for for step in recording.steps if step.human is not None}
    return {name: value for name, value in recording.metadata.items() if name not in asked}


def _to_message(one: RecordedMessage) -> Message:
    return Message(
        message_id=one.message_id,
        role=one.role,
        blocks=one.blocks,
        created_at=one.created_at,
        run_id=one.run_id,
        step=one.step,
        taint=one.taint,
    )


def _describe_decision(decision: Json) -> str:
    reason = decision.get("reason")
    return f"{decision['kind']}: {reason}" if reason else str(decision["kind"])
