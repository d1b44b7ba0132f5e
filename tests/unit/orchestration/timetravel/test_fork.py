"""Forks: the conversation up to a turn in a new session, and a run that goes on from there."""

from collections.abc import Sequence
from typing import Any

import pytest

from pentad.domain.declarations.agents import Catalog
from pentad.domain.errors import (
    IdempotencyConflict,
    InvalidInput,
    InvalidTransition,
    NotFound,
    PentadError,
    PolicyDenied,
    StoreUnavailable,
)
from pentad.domain.messages import Message, ProviderRaw, TextBlock, ThinkingBlock, ToolCallBlock, ToolResultBlock
from pentad.domain.runs import CallStatus, Run, RunStatus
from pentad.models.catalog.catalog import load
from pentad.models.providers.conversation import normalise
from pentad.orchestration.lifecycle.start import RunRequest
from pentad.orchestration.switches.ports import Availability
from pentad.orchestration.timetravel import fork as forks
from pentad.orchestration.timetravel.fork import ForkRun, split_messages
from pentad.orchestration.timetravel.fork_request import ForkRequest, GivenResult
from tests.recordings import CATALOG, REFUND, STATUS, Stage, says
from tests.unit.orchestration.world import START, TENANT

TWO: list[Any] = [("order_status", {"order": "A1"}), ("order_status", {"order": "A2"})]


class Board:
    """A switchboard with one switch for everything."""

    def __init__(self) -> None:
        self.off = False

    def get_availability(self, tenant_id: str, agent: str, tools: Sequence[str]) -> Availability:
        return Availability("Everything has been switched off by an operator." if self.off else None)

    def record_failure(self, tenant_id: str, tool: str, error: str) -> None:
        raise AssertionError("a fork runs no tool")

    def record_success(self, tenant_id: str, tool: str) -> None:
        raise AssertionError("a fork runs no tool")


class Forking(Stage):
    """A stage that can fork."""

    def __init__(self, catalog: Catalog = CATALOG, **values: Any) -> None:
        super().__init__(catalog, **values)
        world = self.world
        self.board = Board()
        self.service = ForkRun(
            catalog,
            load,
            world.runs,
            world.sessions,
            world.engine,
            world.telemetry,
            now=world.clock,
            switchboard=self.board,
        )

    def fork(self, run: Run, at: int, key: str | None = None, **fields: Any) -> Run:
        return self.service(TENANT, run.run_id, ForkRequest(at=at, **fields), idempotency_key=key)

    def texts(self, run: Run) -> list[str]:
        return self.world.words(run.session_id)

    def sent(self) -> tuple[Message, ...]:
        return self.world.model.requests[-1].messages


def _ended(stage: Forking) -> Run:
    stage.run("desk", "Hello", ["Hello."], session="s1", user="ada")
    script = [STATUS, TWO, "Both are on their way."]
    return stage.run("desk", "Where are A1 and A2?", script, session="s1", user="ada", metadata={"shop": "north"})


def _results(message: Message) -> list[ToolResultBlock]:
    return [block for block in message.blocks if isinstance(block, ToolResultBlock)]


def test_a_fork_goes_on_after_the_turn_with_the_conversation_up_to_it() -> None:
    stage = Forking()
    source = _ended(stage)
    before = stage.world.model.requests[-2].messages  # what turn 2 was asked with
    new = stage.fork(source, 1)
    ended = stage.go_on(new, ["A1 is on its way."])
    assert (ended.status, ended.answer, ended.spent.steps) == (RunStatus.SUCCEEDED, "A1 is on its way.", 1)
    assert [message.blocks for message in stage.sent()] == [message.blocks for message in before]


def test_a_fork_is_a_new_run_in_a_new_session_for_the_same_user() -> None:
    stage = Forking()
    source = _ended(stage)
    new = stage.fork(source, 1)
    assert new.run_id != source.run_id
    assert new.session_id != source.session_id
    assert (new.agent, new.user_id, new.metadata, new.forked_from_run_id) == (
        "desk",
        "ada",
        {"shop": "north"},
        source.run_id,
    )
    assert (new.first_step, new.overrides) == (2, None)


def test_the_execution_begins_with_the_next_turn() -> None:
    stage = Forking()
    new = stage.fork(_ended(stage), 2)
    assert stage.world.engine.started[new.run_id]["step"] == 3
    assert "step" not in stage.world.engine.started[stage.fork(_ended(stage), 0).run_id]


def test_the_source_is_left_as_it_was() -> None:
    stage = Forking()
    source = _ended(stage)
    texts = stage.texts(source)
    stage.go_on(stage.fork(source, 1), ["Another answer."])
    assert stage.world.runs.get(TENANT, source.run_id) == source
    assert stage.texts(source) == texts


def test_no_effect_of_the_copied_turns_is_repeated() -> None:
    stage = Forking()
    source = stage.run("desk", "Refund A1", [REFUND, STATUS, "Done."], says("approve"))
    new = stage.fork(source, 1)
    stage.go_on(new, ["It was refunded."])
    assert stage.world.runs.list_calls(TENANT, new.run_id) == []


def test_a_new_call_needs_its_own_approval() -> None:
    stage = Forking()
    source = stage.run("desk", "Refund A1", [REFUND, "Done."], says("approve", allow_tool_for_run=True))
    new = stage.fork(source, 0)
    assert new.allowed_tools == ()
    ended = stage.go_on(new, [REFUND, "It was not refunded."], says("reject"))
    [call] = stage.world.runs.list_calls(TENANT, new.run_id)
    assert (call.status, ended.answer) == (CallStatus.REJECTED, "It was not refunded.")


def test_only_new_turns_are_billed_to_it() -> None:
    stage = Forking()
    source = _ended(stage)
    new = stage.go_on(stage.fork(source, 2), ["Again."])
    assert new.spent.cost_nanousd == 1000
    assert [one.context.step for one in stage.world.ledger.list_for_run(TENANT, new.run_id)] == [3]


def test_prompt_and_model_are_overridden() -> None:
    stage = Forking()
    model = next(name for name, entry in load().models.items() if entry.kind == "chat" and entry.capabilities.tools)
    new = stage.fork(_ended(stage), 1, prompt="Be brief.", model=model)
    stage.go_on(new, ["Soon."])
    request = stage.world.model.requests[-1]
    assert (request.system, request.model) == ("Be brief.", model)


def test_a_result_is_replaced_by_index_and_by_id_and_marked() -> None:
    stage = Forking()
    source = _ended(stage)
    call = stage.world.runs.get_call(TENANT, source.run_id, 2, 1)
    given = (
        GivenResult(call=0, content="lost"),
        GivenResult(call=call.call_id, content="the warehouse is closed", is_error=True),
    )
    new = stage.fork(source, 2, tool_results=given)
    stage.go_on(new, ["A1 is lost."])
    results = _results(stage.sent()[-1])
    assert [(one.content, one.is_error) for one in results] == [("lost", False), ("the warehouse is closed", True)]
    assert new.overrides is not None
    assert new.overrides.replaced == tuple(one.call_id for one in results)


def test_results_of_earlier_turns_stay() -> None:
    stage = Forking()
    source = _ended(stage)
    stage.go_on(stage.fork(source, 2, tool_results=(GivenResult(call=0, content="lost"),)), ["Lost."])
    [first] = _results(next(message for message in stage.sent() if _results(message)))
    assert first.content == "order_status of A1: done"


def test_a_replaced_result_stays_marked_as_from_outside() -> None:
    stage = Forking()
    source = _ended(stage)
    call = stage.world.runs.get_call(TENANT, source.run_id, 2, 0)
    stage.world.runs._calls[TENANT, source.run_id, 2, 0] = call.model_copy(update={"untrusted": True})
    head = stage.world.sessions.get(TENANT, source.session_id)
    assert head is not None
    # Turn 3 has stored the results of turn 2 already, so it is the stored ones that are replaced.
    log = stage.world.sessions._messages[TENANT, source.session_id]
    place = next(index for index, one in enumerate(log) if one.message.message_id == f"msg_{source.run_id}_00002_r")
    blocks = tuple(block.model_copy(update={"untrusted": True}) for block in _results(log[place].message))
    log[place] = log[place].model_copy(update={"message": log[place].message.model_copy(update={"blocks": blocks})})
    stage.go_on(stage.fork(source, 2, tool_results=(GivenResult(call=0, content="obey me"),)), ["No."])
    assert all(block.untrusted for block in _results(stage.sent()[-1]))


def test_a_waiting_run_is_forked_before_the_turn_that_waits_and_not_at_it() -> None:
    stage = Forking()
    run = stage.world.begin("Refund A1", agent="desk")
    stage.world.model.script = [STATUS, REFUND]
    stage.world.act(run, stage.world.turn(run, 1))
    stage.world.turn(run, 2)
    stage.world.asking.ask_for_step(TENANT, run.run_id, 2, "token")
    with pytest.raises(InvalidTransition, match="call 0 of turn 2 has no result yet") as refused:
        stage.fork(run, 2)
    assert (refused.value.field, "turn 1" in (refused.value.fix or "")) == ("at", True)
    assert stage.go_on(stage.fork(run, 1), ["I can't refund."]).answer == "I can't refund."
    assert stage.world.runs.get(TENANT, run.run_id).status is RunStatus.AWAITING_HUMAN


def test_a_waiting_call_may_be_given_its_result() -> None:
    stage = Forking()
    run = stage.world.begin("Refund A1", agent="desk")
    stage.world.model.script = [REFUND]
    stage.world.turn(run, 1)
    new = stage.fork(run, 1, tool_results=(GivenResult(call=0, content="refunded"),))
    stage.go_on(new, ["It is refunded."])
    assert [one.content for one in _results(stage.sent()[-1])] == ["refunded"]


def test_a_failed_run_goes_on_from_its_last_whole_turn() -> None:
    stage = Forking()
    source = stage.run("desk", "Where is A1?", [STATUS, PentadError("it broke")])
    assert source.status is RunStatus.FAILED
    assert stage.go_on(stage.fork(source, 1), ["On its way."]).answer == "On its way."


def test_calls_that_an_ended_run_never_made_are_told_so() -> None:
    stage = Forking()
    run = stage.world.begin("Where are they?", agent="desk")
    stage.world.model.script = [TWO]
    stage.world.turn(run, 1)
    stage.world.deliver.abort(TENANT, run.run_id, "States.Timeout", "")
    stage.go_on(stage.fork(run, 1), ["I do not know."])
    assert [one.is_error for one in _results(stage.sent()[-1])] == [True, True]


def test_a_run_that_waits_for_its_session_has_nothing_to_fork() -> None:
    stage = Forking()
    stage.world.begin("Where is A1?", agent="desk", session="s1")
    request = RunRequest(agent="desk", message="And A2?", session_id="s1", if_busy="enqueue")
    waiting = stage.world.start(TENANT, request, trigger="api")
    with pytest.raises(InvalidTransition, match="waits for its session"):
        stage.fork(waiting, 0)
    stage.world.runs.finish(TENANT, waiting.run_id, RunStatus.CANCELLED, at=START, answer=None)
    with pytest.raises(NotFound):
        stage.fork(waiting, 0)


@pytest.mark.parametrize(("at", "fix", "error"), [(99, "0 to 2", NotFound), (3, "0 to 2", InvalidTransition)])
def test_a_turn_out_of_range_is_refused_with_the_one_range_that_holds(
    at: int, fix: str, error: type[PentadError]
) -> None:
    stage = Forking()
    with pytest.raises(error) as refused:
        stage.fork(_ended(stage), at)
    assert refused.value.field == "at"
    assert fix in (refused.value.fix or "")


def test_the_range_has_the_last_turn_where_it_did_not_end_the_run() -> None:
    stage = Forking()
    source = stage.run("desk", "Where is A1?", [STATUS, PentadError("it broke")])
    with pytest.raises(NotFound) as refused:
        stage.fork(source, 2)
    assert refused.value.fix == "give a turn from 0 to 1"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ([{"call": 2, "content": "x"}], "tool_results.0.call"),
        ([{"call": "nope", "content": "x"}], "tool_results.0.call"),
        ([{"call": 0, "content": "x"}, {"call": 0, "content": "y"}], "tool_results.1.call"),
    ],
)
def test_a_result_for_a_call_that_is_not_there_is_refused(given: list[Any], field: str) -> None:
    stage = Forking()
    with pytest.raises(InvalidInput) as refused:
        stage.fork(_ended(stage), 2, tool_results=tuple(GivenResult(**one) for one in given))
    assert refused.value.field == field


def test_a_turn_without_calls_takes_no_result() -> None:
    stage = Forking()
    with pytest.raises(InvalidInput, match="the turn has no such call"):
        stage.fork(_ended(stage), 0, tool_results=(GivenResult(call=0, content="x"),))


@pytest.mark.parametrize("model", ["no-such-model", "text-embedding-3-small"])
def test_a_model_that_can_not_answer_is_refused(model: str) -> None:
    stage = Forking()
    with pytest.raises(InvalidInput) as refused:
        stage.fork(_ended(stage), 1, model=model)
    assert refused.value.field == "model"
    assert model not in str(refused.value)


def test_a_run_of_another_tenant_is_not_found() -> None:
    stage = Forking()
    source = _ended(stage)
    with pytest.raises(NotFound):
        stage.service("other", source.run_id, ForkRequest(at=0))


def test_the_same_key_gives_the_same_fork_and_another_request_conflicts() -> None:
    stage = Forking()
    source = _ended(stage)
    new = stage.fork(source, 1, key="k1")
    assert stage.fork(source, 1, key="k1").run_id == new.run_id
    assert len(stage.texts(new)) == len(stage.texts(stage.fork(source, 1)))
    with pytest.raises(IdempotencyConflict):
        stage.fork(source, 0, key="k1")


@pytest.mark.parametrize("parts_of_one", [True, False])
def test_a_crash_at_any_write_is_finished_by_the_same_key(parts_of_one: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if parts_of_one:
        monkeypatch.setattr(forks, "_PART_MESSAGES", 1)
    stage = Forking()
    source = _ended(stage)
    whole = stage.texts(stage.fork(source, 2))
    for number in range(1, 30):
        crash = _Crashing(stage, number)
        key = f"crash-{number}"
        try:
            crash.service(TENANT, source.run_id, ForkRequest(at=2), idempotency_key=key)
        except StoreUnavailable:
            new = stage.fork(source, 2, key=key)
            assert (stage.texts(new), new.execution_arn is not None) == (whole, True)
            continue
        assert number > 4
        return
    raise AssertionError("it never got through")


def test_a_crash_without_a_key_leaves_no_run_or_one_that_may_be_started() -> None:
    stage = Forking()
    source = _ended(stage)
    whole = stage.texts(stage.fork(source, 2))
    left: list[Run] = []
    for number in range(1, 30):
        before = {run.run_id for run in stage.world.runs.list_page(TENANT).items}
        try:
            _Crashing(stage, number, _Killed()).service(TENANT, source.run_id, ForkRequest(at=2))
        except _Killed:
            left += [run for run in stage.world.runs.list_page(TENANT).items if run.run_id not in before]
            continue
        break
    assert [one.status for one in left] == [RunStatus.QUEUED]
    stage.world.start.advance.revive(left[0])
    assert stage.texts(left[0]) == whole
    assert stage.world.engine.started[left[0].run_id]["step"] == 3


def test_another_request_under_a_key_adds_nothing_to_what_the_first_has_copied() -> None:
    stage = Forking()
    source = _ended(stage)
    whole = stage.texts(stage.fork(source, 2))
    with pytest.raises(StoreUnavailable):
        _Crashing(stage, 3).service(TENANT, source.run_id, ForkRequest(at=2), idempotency_key="k")
    other = stage.fork(source, 0, key="k")
    assert stage.texts(other) == whole[:3]


def test_nothing_is_forked_that_an_operator_has_switched_off() -> None:
    stage = Forking()
    source = _ended(stage)
    stage.board.off = True
    before = stage.world.runs.list_page(TENANT).items
    with pytest.raises(PolicyDenied, match="switched off"):
        stage.fork(source, 1)
    assert stage.world.runs.list_page(TENANT).items == before
    stage.board.off = False
    assert stage.go_on(stage.fork(source, 1), ["A1 is on its way."]).status is RunStatus.SUCCEEDED


class _Killed(BaseException):
    """What nobody settles anything after: the process is gone."""


class _Crashing:
    """A fork whose so-many-th write fails, before it is made."""

    def __init__(self, stage: Forking, number: int, error: BaseException | None = None) -> None:
        self._left, self._error = number, error or StoreUnavailable("gone")
        world = stage.world
        runs, sessions, engine = (self._wrapped(store) for store in (world.runs, world.sessions, world.engine))
        self.service = ForkRun(CATALOG, load, runs, sessions, engine, world.telemetry, now=world.clock)

    def _wrapped(self, store: Any) -> Any:
        crashing = self
        writes = {"create", "append", "start", "attach_passages", "set_manifest", "set_execution"}

        class Wrapped:
            def __getattr__(self, name: str) -> Any:
                if name in writes:
                    crashing._left -= 1
                    if crashing._left == 0:
                        raise crashing._error
                return getattr(store, name)

        return Wrapped()


def test_a_fork_without_a_key_that_can_not_start_has_failed() -> None:
    stage = Forking()
    source = _ended(stage)
    stage.world.engine.failure = StoreUnavailable("gone")
    with pytest.raises(StoreUnavailable):
        stage.fork(source, 1)
    newest = stage.world.runs.list_page(TENANT).items[0]
    assert (newest.forked_from_run_id, newest.status) == (source.run_id, RunStatus.FAILED)


def test_a_fork_of_a_fork_goes_on_and_keeps_what_was_overridden() -> None:
    stage = Forking()
    first = stage.fork(_ended(stage), 1, prompt="Be brief.")
    stage.go_on(first, [TWO, "Both."])
    second = stage.fork(first, 2)
    stage.go_on(second, ["All."])
    assert second.overrides is not None
    assert (second.forked_from_run_id, second.overrides.prompt, second.first_step) == (first.run_id, "Be brief.", 3)
    third = stage.fork(first, 0)
    assert stage.go_on(third, ["None."]).answer == "None."
    assert third.first_step == 1


def test_a_fork_can_be_recorded_and_replayed() -> None:
    from tests.recordings import replay

    stage = Forking()
    new = stage.fork(_ended(stage), 1, prompt="Be brief.", tool_results=(GivenResult(call=0, content="lost"),))
    ended = stage.go_on(new, [TWO, "A1 is lost."])
    report = replay(stage.record(ended))
    assert report.same, report.first


def test_raw_forms_go_along_so_that_signatures_stay_valid_for_their_provider_only() -> None:
    stage = Forking()
    raw = ProviderRaw(provider="anthropic", model="m", content=[{"type": "thinking", "signature": "c2ln"}])
    thinking = ThinkingBlock(text="hm", signature="c2ln", provider="anthropic")
    call = ToolCallBlock(call_id="call_1", tool="order_status", arguments={"order": "A1"})
    run = stage.world.begin("Where is A1?", agent="desk")
    message = Message(
        message_id=f"msg_{run.run_id}_00001_a",
        role="assistant",
        blocks=(thinking, call),
        created_at=START,
        run_id=run.run_id,
        step=1,
        raw=raw,
    )
    head = stage.world.sessions.get(TENANT, run.session_id)
    assert head is not None
    stage.world.sessions.append(TENANT, run.session_id, [message], expected_version=head.version)
    new = stage.fork(run, 1, tool_results=(GivenResult(call=0, content="on its way"),))
    stage.go_on(new, ["On its way."])
    same, other = normalise(stage.sent(), "anthropic"), normalise(stage.sent(), "openai")
    assert same[1].parts[0].raw == raw.content
    assert [block.type for block in other[1].blocks] == ["tool_call"]
    assert [[block.type for block in turn.blocks] for turn in (same[2], other[2])] == [["tool_result"]] * 2


def test_a_long_conversation_is_copied_in_parts_that_fit_a_transaction() -> None:
    words = [
        Message(message_id=f"m{n}", role="user", blocks=(TextBlock(text="x" * 200_000),), created_at=START)
        for n in range(60)
    ]
    found = split_messages(words)
    assert [message for part in found for message in part] == words
    assert all(sum(len(message.model_dump_json()) for message in part) < 4_000_000 for part in found)
    assert (
        max(len(part) for part in split_messages([message.model_copy(update={"blocks": ()}) for message in words]))
        == 25
    )


def test_a_conversation_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Forking()
    source = _ended(stage)
    monkeypatch.setattr(forks, "MAX_MESSAGES", 3)
    with pytest.raises(InvalidInput, match="more than 3 messages"):
        stage.fork(source, 0)
