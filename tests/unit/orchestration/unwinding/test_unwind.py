"""A run is undone newest first, over all runs below it, and what can't be undone is told with the reason."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from pentad.domain.canonical import arguments_hash
from pentad.domain.declarations.agents import AgentSpec, Catalog
from pentad.domain.errors import InvalidInput, InvalidTransition, StoreUnavailable, ToolUnavailable
from pentad.domain.messages import Message, TextBlock
from pentad.domain.runs import Actor, CallStatus, Decision, Run, RunStatus, Step, ToolCall
from pentad.memory.sessions.adapters.sessions_memory import MemorySessions
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.orchestration.lifecycle.undo import Undo
from pentad.orchestration.runs.adapters.runs_memory import MemoryRuns
from pentad.orchestration.unwinding.effects import ListEffects, RunEffect
from pentad.orchestration.unwinding.unwind import Stretch, UndoRun
from pentad.tools.records.adapters.records_memory import MemoryRecords
from pentad.tools.runtime.adapters.audit_memory import MemoryAudit
from pentad.tools.runtime.adapters.call_order_memory import MemoryCallOrder
from pentad.tools.runtime.adapters.effects_memory import MemoryEffects
from pentad.tools.runtime.adapters.functions_memory import MemoryFunctions
from pentad.tools.runtime.runner import Invocation, ToolRunner
from tests.unit.orchestration.unwinding import undoable_tools
from tests.unit.orchestration.world import START, TENANT, Clock
from tests.unit.tools.worlds import Crash, Crashing

TOOLS = {
    one.name: one for one in (undoable_tools.append, undoable_tools.order, undoable_tools.mail, undoable_tools.look)
}
AGENT = AgentSpec(name="helper", description="helps", prompt="help", tools=tuple(TOOLS))
CATALOG = Catalog(agents={"helper": AGENT}, tools={name: one.spec for name, one in TOOLS.items()})
ANN = Actor(key_id="k", person="ann", at=START)
Told = list[tuple[str, str]]


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    undoable_tools.log.clear()
    undoable_tools.broken.clear()
    yield
    undoable_tools.broken.clear()


@dataclass
class World:
    """Runs with calls, the tool runner with real tools, and what undoes runs."""

    clock: Clock = field(default_factory=Clock)
    effects: Any = field(default_factory=MemoryEffects)
    audit: Any = field(default_factory=MemoryAudit)
    order: MemoryCallOrder = field(init=False)
    records: MemoryRecords = field(default_factory=MemoryRecords)
    made: int = 0
    catalog: Catalog = CATALOG
    unreachable: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.runs = MemoryRuns(MemorySessions(clock=self.clock), self.clock)
        self.order = MemoryCallOrder(lambda: self.clock().timestamp())

    def start(self, *, parent: str | None = None) -> Run:
        self.made += 1
        run_id = f"run_{self.made:026d}"
        run = Run(
            tenant_id=TENANT,
            run_id=run_id,
            agent="helper",
            session_id=f"s{self.made}",
            status=RunStatus.QUEUED,
            trigger="api",
            created_at=self.clock(),
            updated_at=self.clock(),
            request_seq=0,
            request_hash="x",
            parent_run_id=parent,
        )
        words = Message(message_id=f"m{self.made}", role="user", blocks=(TextBlock(text="x"),), created_at=self.clock())
        return self.runs.start(run, words, session_days=1, lease_seconds=600)

    def plan(self, run: Run, step: int, *calls: tuple[str, dict[str, Any]]) -> None:
        stored = [
            ToolCall(
                tenant_id=TENANT,
                run_id=run.run_id,
                step=step,
                index=index,
                call_id=f"c{step}{index}",
                tool=tool,
                arguments=arguments,
                arguments_hash=arguments_hash(arguments),
                status=CallStatus.PENDING,
            )
            for index, (tool, arguments) in enumerate(calls)
        ]
        decision = Decision(kind="tools", step=step)
        made = Step(
            tenant_id=TENANT,
            run_id=run.run_id,
            step=step,
            decision=decision,
            message_seq=None,
            started_at=self.clock(),
            duration_ms=0,
        )
        self.runs.record_step(made, stored)

    def execute(self, run: Run, step: int, index: int = 0) -> None:
        self.clock.advance(1)
        self.made_runner().execute(TENANT, run.run_id, "helper", step, index, invocation=self.invoke())

    def act(self, run: Run, step: int, tool: str, **arguments: Any) -> None:
        self.plan(run, step, (tool, arguments))
        self.execute(run, step)

    def end(self, run: Run, status: RunStatus = RunStatus.SUCCEEDED) -> Run:
        return self.runs.finish(TENANT, run.run_id, status, at=self.clock(), answer=None)

    def invoke(self) -> Invocation:
        self.made += 1
        return Invocation(f"request-{self.made}")

    def made_runner(self) -> ToolRunner:
        functions = MemoryFunctions(TOOLS, records=self.records.get_store, now=self.clock)
        return ToolRunner(
            catalog=self.catalog,
            runs=self.runs,
            effects=self.effects,
            audit=self.audit,
            functions=functions,
            telemetry=MemoryTelemetry(),
            now=self.clock,
        )

    def undo(self, tenant_id: str, run_id: str, step: int, index: int) -> None:
        """As a `ToolInvoker` does."""
        if self.unreachable:
            raise self.unreachable.pop(0)
        self.made_runner().undo(tenant_id, run_id, step, index, invocation=self.invoke())

    @property
    def undo_run(self) -> UndoRun:
        effects = ListEffects(self.catalog, self.runs, self.effects, self.audit)
        return UndoRun(effects, Undo(self.runs, self, MemoryTelemetry(), now=self.clock), self.runs, self.order)

    def unwind(self, run: Run, **values: Any) -> Stretch:
        options: dict[str, Any] = {"owner": "r1", "refuse": lambda _: None, "goes_on": lambda: True}
        return self.undo_run(self.runs.get(TENANT, run.run_id), actor=ANN, **options | values)

    def plan_undo(self, run: Run) -> list[RunEffect]:
        return self.undo_run.plan(self.runs.get(TENANT, run.run_id), refuse=lambda _: None)

    def words(self, name: str = "a") -> list[str]:
        record = self.records.get_store(TENANT).find(undoable_tools.KIND, name)
        assert record is not None
        words: list[str] = record.value["words"]
        return words


def tell(effects: list[RunEffect]) -> Told:
    return [(f"{effect.tool}{effect.step}.{effect.index}", effect.outcome) for effect in effects]


def test_effects_are_undone_newest_first_and_what_can_not_be_is_told_with_the_reason() -> None:
    world = World()
    run = world.start()
    world.act(run, 1, "append", name="a", word="one")
    world.act(run, 2, "look", at="it")
    world.act(run, 3, "mail", to="bob")
    world.act(run, 4, "append", name="a", word="two")
    world.end(run)
    plan = world.plan_undo(run)
    assert tell(plan) == [("append4.0", "to_undo"), ("mail3.0", "irreversible"), ("append1.0", "to_undo")]
    assert [effect.kind for effect in plan] == ["reversible", "irreversible", "reversible"]
    assert plan[1].reason == "the tool 'mail' declares no undo"
    assert world.words() == ["one", "two"], "a plan changes nothing"
    assert undoable_tools.log == []
    done = world.unwind(run)
    assert tell(done.effects) == [("append4.0", "undone"), ("mail3.0", "irreversible"), ("append1.0", "undone")]
    assert (done.after, done.stopped) == (None, None)
    assert undoable_tools.log == ["unappend two", "unappend one"]
    assert world.words() == []


def test_a_second_time_changes_nothing_and_says_who_did_it() -> None:
    world = World()
    run = world.start()
    world.act(run, 1, "append", name="a", word="one")
    world.end(run)
    world.unwind(run)
    again = world.unwind(run)
    assert tell(again.effects) == [("append1.0", "already_undone")]
    assert again.effects[0].reason == "it was undone before by ann"
    assert undoable_tools.log == ["unappend one"]


def test_what_was_changed_since_is_left_and_the_rest_is_undone() -> None:
    world = World()
    run = world.start()
    world.act(run, 1, "append", name="b", word="one")
    world.act(run, 2, "append", name="a", word="two")
    world.end(run)
    other = world.start()
    world.act(other, 1, "append", name="a", word="newer")
    done = world.unwind(run)
    assert tell(done.effects) == [("append2.0", "refused"), ("append1.0", "undone")]
    assert done.effects[0].reason == "'two' is not the last word any more (look at the list)"
    assert world.words("a") == ["two", "newer"]
    assert world.words("b") == []
    world.end(other)
    world.unwind(other)
    assert tell(world.unwind(run).effects) == [("append2.0", "undone"), ("append1.0", "already_undone")]


def test_with_stop_nothing_older_than_a_refusal_is_touched() -> None:
    world = World()
    run = world.start()
    world.act(run, 1, "append", name="b", word="one")
    world.act(run, 2, "append", name="a", word="two")
    world.end(run)
    other = world.start()
    world.act(other, 1, "append", name="a", word="newer")
    done = world.unwind(run, stop=True)
    assert tell(done.effects) == [("append2.0", "refused")]
    assert done.stopped == "it could not be undone: append of step 2"
    assert world.words("b") == ["one"]


def test_calls_of_one_reply_are_undone_in_the_order_in_which_they_ended_and_not_in_that_of_the_reply() -> None:
    world = World()
    run = world.start()
    words = [("append", {"name": "a", "word": word}) for word in ("first", "second", "third")]
    world.plan(run, 1, *words)
    for index in (2, 0, 1):
        world.execute(run, 1, index)
    world.end(run)
    assert world.words() == ["third", "first", "second"]
    done = world.unwind(run)
    assert [effect.index for effect in done.effects] == [1, 0, 2]
    assert {effect.outcome for effect in done.effects} == {"undone"}


def test_effects_of_runs_below_are_undone_in_the_order_of_all_of_them() -> None:
    world = World()
    top = world.start()
    left, right = world.start(parent=top.run_id), world.start(parent=top.run_id)
    below = world.start(parent=left.run_id)
    for number, run in enumerate((left, right, below, left, top, right), 1):
        world.act(run, number, "append", name="a", word=str(number))
    for run in (below, left, right, top):
        world.end(run)
    done = world.unwind(top)
    assert [effect.step for effect in done.effects] == [6, 5, 4, 3, 2, 1]
    assert {effect.outcome for effect in done.effects} == {"undone"}
    assert undoable_tools.log == [f"unappend {number}" for number in (6, 5, 4, 3, 2, 1)]


def test_a_run_that_may_do_more_is_not_undone() -> None:
    world = World()
    top = world.start()
    below = world.start(parent=top.run_id)
    world.act(top, 1, "append", name="a", word="one")
    world.end(top)
    for attempt in (world.plan_undo, world.unwind):
        with pytest.raises(InvalidTransition, match=below.run_id):
            attempt(top)
    assert world.words() == ["one"]


def test_calls_that_failed_or_were_cut_off_are_told_and_those_that_never_began_are_not() -> None:
    world = World()
    run = world.start()
    world.act(run, 1, "order", item="nothing")
    world.act(run, 2, "order", wrong=1)
    world.plan(run, 3, ("order", {"item": "lost"}), ("order", {"item": "never"}))
    with pytest.raises(ToolUnavailable):
        world.execute(run, 3)
    world.end(run, RunStatus.CANCELLED)
    done = world.unwind(run)
    assert tell(done.effects) == [("order3.0", "unknown"), ("order1.0", "call_failed")]
    assert [str(effect.reason)[:25] for effect in done.effects] == [
        "the call was cut off: it ",
        "the call failed (ToolFail",
    ]
    assert undoable_tools.log == []


def test_an_undo_that_breaks_halfway_is_told_not_repeated_and_stops_nothing_older() -> None:
    world = World()
    run = world.start()
    world.act(run, 1, "append", name="a", word="one")
    world.act(run, 2, "order", item="tea")
    world.end(run)
    undoable_tools.broken.append(RuntimeError("connection lost"))
    done = world.unwind(run)
    assert tell(done.effects) == [("order2.0", "failed"), ("append1.0", "undone")]
    assert "connection lost" in str(done.effects[0].reason)
    for again in (world.plan_undo(run), world.unwind(run).effects):
        assert tell(again) == [("order2.0", "unknown"), ("append1.0", "already_undone")]
    assert undoable_tools.log == ["cancel tea", "unappend one"]


def test_an_undo_in_one_piece_that_breaks_has_written_nothing_and_may_be_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    run = world.start()
    world.act(run, 1, "append", name="a", word="one")
    world.end(run)

    def break_after_write(text: str) -> None:
        raise RuntimeError("after the write")

    with monkeypatch.context() as patched:
        patched.setattr(undoable_tools, "log", type("Log", (), {"append": staticmethod(break_after_write)})())
        assert tell(world.unwind(run).effects) == [("append1.0", "refused")]
    assert world.words() == ["one"]
    assert tell(world.unwind(run).effects) == [("append1.0", "undone")]


@pytest.mark.parametrize("error", [StoreUnavailable("no answer"), ToolUnavailable("no answer")])
def test_where_nobody_answers_nothing_older_is_touched(error: Exception) -> None:
    world = World()
    run = world.start()
    world.act(run, 1, "append", name="a", word="one")
    world.act(run, 2, "append", name="a", word="two")
    world.end(run)
    world.unreachable.append(error)
    done = world.unwind(run)
    assert tell(done.effects) == [("append2.0", "failed")]
    assert done.stopped == "it did not answer: append of step 2"
    assert tell(world.unwind(run).effects) == [("append2.0", "undone"), ("append1.0", "undone")]


def test_without_time_it_goes_on_where_it_stopped() -> None:
    world = World()
    run = world.start()
    for step in range(1, 6):
        world.act(
            run,
            step,
            "append" if step != 3 else "mail",
            **({"name": "a", "word": str(step)} if step != 3 else {"to": "x"}),
        )
    world.end(run)
    found: Told = []
    after: str | None = None
    for _ in range(10):
        stretch = world.unwind(run, goes_on=lambda: False, after=after)
        found += tell(stretch.effects)
        after = stretch.after
        if after is None:
            break
    assert found == [
        ("append5.0", "undone"),
        ("append4.0", "undone"),
        ("mail3.0", "irreversible"),
        ("append2.0", "undone"),
        ("append1.0", "undone"),
    ]
    with pytest.raises(InvalidInput):
        world.unwind(run, after="run_x.00001.00")


Break = Callable[[World], None]


@pytest.mark.parametrize(
    "break_it",
    [
        lambda world: setattr(world, "effects", Crashing(world.effects, "begin")),
        lambda world: setattr(world, "effects", Crashing(world.effects, "finish", before=True)),
        lambda world: setattr(world, "audit", Crashing(world.audit, "append", before=True)),
        lambda world: setattr(world, "audit", Crashing(world.audit, "append")),
        lambda world: setattr(world, "runs", Crashing(world.runs, "save_call", before=True)),
        lambda world: setattr(world, "runs", Crashing(world.runs, "save_call")),
    ],
)
def test_killed_anywhere_in_the_middle_it_is_resumed_and_each_effect_undone_once(break_it: Break) -> None:
    world = World()
    run = world.start()
    for step in (1, 2, 3):
        world.act(run, step, "append", name="a", word=str(step))
    world.end(run)
    kept = {name: getattr(world, name) for name in ("effects", "audit", "runs")}
    break_it(world)
    with pytest.raises(Crash):
        world.unwind(run)
    for name, store in kept.items():
        setattr(world, name, store)
    world.clock.advance(41)
    done = world.unwind(run, owner="r2")
    assert {effect.outcome for effect in done.effects} <= {"undone", "already_undone"}
    assert world.words() == []
    # A try that the crash cut off before its write may have run the function twice; nothing was written twice.
    assert list(dict.fromkeys(undoable_tools.log)) == ["unappend 3", "unappend 2", "unappend 1"]


def test_of_two_at_once_one_undoes_and_the_other_is_refused() -> None:
    world = World()
    run = world.start()
    for step in range(1, 6):
        world.act(run, step, "append", name="a", word=str(step))
    world.end(run)
    inside, leave, refused = threading.Event(), threading.Event(), []

    def wait() -> bool:
        inside.set()
        return leave.wait(10)

    first = threading.Thread(target=lambda: world.unwind(run, goes_on=wait))
    first.start()
    assert inside.wait(10)
    with pytest.raises(InvalidTransition, match="another request is undoing this run"):
        world.unwind(run, owner="r2")
    refused.append(True)
    leave.set()
    first.join(10)
    assert undoable_tools.log == [f"unappend {step}" for step in (5, 4, 3, 2, 1)]
    assert {effect.outcome for effect in world.unwind(run, owner="r2").effects} == {"already_undone"}


def test_an_effect_that_another_group_decides_of_is_left_to_it() -> None:
    world = World()
    run = world.start()
    world.act(run, 1, "append", name="a", word="one")
    world.act(run, 2, "append", name="b", word="two")
    world.end(run)
    done = world.unwind(run, refuse=lambda effect: "not yours" if effect.step == 2 else None)
    assert tell(done.effects) == [("append2.0", "not_allowed"), ("append1.0", "undone")]
    assert world.words("b") == ["two"]


def test_a_turn_that_can_not_be_given_back_hides_not_what_was_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise StoreUnavailable("the table does not answer")

    world = World()
    run = world.start()
    world.act(run, 1, "append", name="a", word="one")
    world.end(run)
    monkeypatch.setattr(world.order, "give_back", fail)
    assert tell(world.unwind(run).effects) == [("append1.0", "undone")]


def test_each_undo_is_in_the_audit() -> None:
    world = World()
    run = world.start()
    world.act(run, 1, "append", name="a", word="one")
    world.act(run, 2, "order", item="tea")
    world.end(run)
    undoable_tools.broken.append(RuntimeError("lost"))
    world.unwind(run)
    entries = world.audit.list_for_run(TENANT, run.run_id)
    undone = {(entry.step, entry.outcome) for entry in entries if entry.action == "undone"}
    assert undone == {(2, "error"), (1, "ok")}
    assert world.runs.get_call(TENANT, run.run_id, 1, 0).undone_by == ANN


def test_a_result_that_was_stored_by_a_later_try_keeps_the_time_of_its_effect() -> None:
    world = World()
    run = world.start()
    world.plan(run, 1, ("append", {"name": "a", "word": "one"}), ("append", {"name": "a", "word": "two"}))
    runs = world.runs
    world.runs = Crashing(world.runs, "save_call", before=True)  # type: ignore[assignment]
    with pytest.raises(Crash):
        world.execute(run, 1, 0)
    world.runs = runs
    world.execute(run, 1, 1)
    world.clock.advance(timedelta(minutes=2).total_seconds())
    world.execute(run, 1, 0)
    world.end(run)
    assert [effect.index for effect in world.unwind(run).effects] == [1, 0]
    assert undoable_tools.log == ["unappend two", "unappend one"]


def test_what_ran_inside_of_a_graph_is_told_in_its_place_and_not_undone() -> None:
    world = World(catalog=CATALOG.model_copy(update={"tool_data": {"mail": ("records", "checkpoints")}}))
    run = world.start()
    world.act(run, 1, "append", name="a", word="one")
    world.act(run, 2, "mail", to="bob")
    outer = world.audit.list_for_run(TENANT, run.run_id)[-1]
    for second, tool in ((-0.5, "book"), (-0.7, "search")):
        at = outer.at + timedelta(seconds=second)
        named = {"tool": tool, "at": at, "request_id": f"graph-{tool}"}
        world.audit.append(outer.model_copy(update=named))
    world.end(run)
    done = world.unwind(run)
    assert tell(done.effects) == [
        ("mail2.0", "irreversible"),
        ("book2.0", "irreversible"),
        ("search2.0", "irreversible"),
        ("append1.0", "undone"),
    ]
    assert str(done.effects[1].reason).startswith("it ran inside a graph")
