"""The cheaper tier answers where it is sure; both attempts are counted where it is not."""

import json
from typing import Any

import jsonschema
import pytest

from pentad.domain.errors import (
    BudgetExceeded,
    ConfigurationError,
    InvalidInput,
    ModelUnavailable,
    PentadError,
    Refused,
)
from pentad.domain.messages import ProviderRaw, ThinkingBlock
from pentad.domain.models import CascadeSpec, ChatReply, ChatRequest, Outcome, StopReason
from pentad.domain.usage import Usage
from pentad.models.cache.adapters.response_cache_memory import MemoryResponseCache
from pentad.models.cache.cache import CachedChat
from pentad.models.catalog.catalog import ModelCatalog, parse
from pentad.models.gateway.cascade import UNSURE, Cascade, extract_answer, wrap_schema
from pentad.models.providers.exchange import ProviderFailure, ProviderReply
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.observability.metrics import names
from tests.unit.models.gateway.test_gateway import World
from tests.unit.models.samples import ADD, CATALOG, SCHEMA, Answer, Clock, assistant, reply, request, user

HAIKU_NAME, SONNET_NAME = "claude-haiku-5-5", "claude-sonnet-5-5"
SPEC = CascadeSpec(first="fast", threshold=0.75)
ASKED = request(user("When does a lease end?"), cascade=SPEC)
VALUE = request(user("Which number?"), cascade=SPEC, output_schema=SCHEMA)


def draft(answer: Any, confidence: float, **fields: Any) -> ProviderReply:
    return reply(json.dumps({"answer": answer, "confidence": confidence}), **fields)


class Tall(World):
    """A gateway under a cascade; Anthropic's models are the primary of both tiers."""

    def __init__(self, *anthropic: Answer, openai: tuple[Answer, ...] = (), catalog: ModelCatalog = CATALOG) -> None:
        super().__init__(anthropic, openai)
        self.telemetry = MemoryTelemetry()
        self.chat = Cascade(self.gateway, catalog, self.telemetry, clock=self.clock)

    def ask(self, asked: ChatRequest = ASKED) -> ChatReply:
        return self.chat.complete(asked, deadline=self.clock.now + 300)

    @property
    def outcomes(self) -> list[str]:
        return [each.dimensions["outcome"] for each in self.telemetry.counts if each.name == names.CASCADES]

    @property
    def models(self) -> list[str]:
        return [sent.model for sent in self.anthropic.sent]


def test_a_sure_answer_of_the_first_tier_stands() -> None:
    world = Tall(draft("When its time is over.", 0.9))
    answer = world.ask()
    assert (answer.message.text, answer.model) == ("When its time is over.", HAIKU_NAME)
    assert (world.models, world.outcomes) == ([HAIKU_NAME], ["kept"])


def test_an_unsure_one_moves_up_and_both_are_counted() -> None:
    world = Tall(draft("Perhaps never.", 0.74), reply("When its time is over."))
    answer = world.ask()
    assert (answer.message.text, answer.model) == ("When its time is over.", SONNET_NAME)
    assert world.models == [HAIKU_NAME, SONNET_NAME]
    assert answer.attempts == tuple(world.ledger.all)
    assert answer.cost_nanousd == sum(attempt.cost_nanousd for attempt in world.ledger.all)
    assert answer.usage.input_tokens == 200
    assert (answer.notices, world.outcomes) == ((), ["moved_up"])


@pytest.mark.parametrize(
    "text",
    [
        '{"answer": "Then.", "answer": "Never.", "confidence": 0.9}',
        '{"answer": "Then.", "confidence": 0.1, "confidence": 0.9}',
        '{"answer": [NaN], "confidence": 0.9}',
    ],
)
def test_a_draft_with_two_meanings_or_none_is_no_answer(text: str) -> None:
    given = ChatReply(
        message=assistant(text), stop=StopReason.END, usage=Usage(), cost_nanousd=0, provider="p", model="m"
    )
    assert [extract_answer(given, words=words) for words in (True, False)] == [(None, 0.0)] * 2


def test_the_threshold_itself_is_sure_enough() -> None:
    assert Tall(draft("Then.", 0.75)).ask().model == HAIKU_NAME


def test_only_the_first_tier_is_asked_for_its_confidence() -> None:
    world = Tall(draft("?", 0), reply("Then."))
    world.ask()
    first, second = (sent.request for sent in world.anthropic.sent)
    assert first.output_schema == wrap_schema(None)
    assert (second.output_schema, second.tier, second.cascade) == (None, None, None)


def test_a_value_is_taken_out_of_the_wrapper() -> None:
    world = Tall(draft({"answer": 7}, 1))
    answer = world.ask(VALUE)
    assert json.loads(answer.message.text) == {"answer": 7}
    assert answer.message.raw is None


def test_neither_the_wrapper_nor_the_thinking_goes_into_the_conversation() -> None:
    raw = ProviderRaw(provider="anthropic", model=HAIKU_NAME, content=[{"type": "text", "text": "{}"}])
    thought = ThinkingBlock(text="Hm.", signature="s", provider="anthropic")
    text = json.dumps({"answer": "Then.", "confidence": 1})
    message = Tall(reply(thought, text, raw=raw)).ask().message
    assert (message.raw, [block.type for block in message.blocks]) == (None, ["text"])


def test_a_confidence_beyond_its_bounds_is_repaired() -> None:
    world = Tall(draft("Then.", 85), draft("Then.", 0.85))
    assert world.ask().model == HAIKU_NAME
    assert [attempt.outcome for attempt in world.ledger.all] == [Outcome.MALFORMED, Outcome.OK]


@pytest.mark.parametrize("answers", [("",), ("   ",)])
def test_an_empty_answer_moves_up_however_sure(answers: tuple[str]) -> None:
    world = Tall(draft(answers[0], 1), reply("Then."))
    assert world.ask().model == SONNET_NAME


def test_a_refusal_of_the_first_tier_moves_up_and_is_counted() -> None:
    world = Tall(reply(stop=StopReason.REFUSAL), reply("Then."), openai=(reply("no", stop=StopReason.REFUSAL),))
    answer = world.ask()
    assert (answer.model, world.outcomes) == (SONNET_NAME, ["moved_up"])
    assert answer.attempts == tuple(world.ledger.all)
    assert len(answer.attempts) == 3
    assert answer.cost_nanousd == sum(attempt.cost_nanousd for attempt in world.ledger.all)


def test_a_refusal_of_both_tiers_is_one() -> None:
    declined = tuple(reply("no", stop=StopReason.REFUSAL) for _ in range(5))
    world = Tall(*declined[:3], openai=declined[3:])
    with pytest.raises(Refused):
        world.ask()


def test_an_unsure_answer_is_better_than_none() -> None:
    down = ProviderFailure(Outcome.OVERLOAD, "529")
    world = Tall(draft("Perhaps then.", 0.5), *[down] * 4, openai=(down, down))
    answer = world.ask()
    assert (answer.message.text, answer.notices) == ("Perhaps then.", (UNSURE,))
    assert answer.attempts == tuple(world.ledger.all)
    assert world.outcomes == ["given_unsure"]


def test_an_outage_of_both_tiers_tells_of_the_requests_to_both() -> None:
    down = ProviderFailure(Outcome.OVERLOAD, "529")
    world = Tall(*[down] * 6, openai=(down,) * 4)
    with pytest.raises(ModelUnavailable) as caught:
        world.ask()
    assert caught.value.attempts == tuple(world.ledger.all)
    assert {attempt.tier for attempt in world.ledger.all} == {"fast", "primary"}


def test_an_unsure_answer_is_given_where_the_larger_model_cant_be_paid() -> None:
    class Poor(World):
        def complete(
            self, request: ChatRequest | None = None, seconds: float = 300, *, deadline: float = 0
        ) -> ChatReply:
            if request is not None and request.tier == "fast":
                return self.gateway.complete(request, deadline=deadline)
            raise BudgetExceeded("the day's budget is used up")

    world, telemetry = Poor((draft("Perhaps then.", 0.5),)), MemoryTelemetry()
    answer = Cascade(world, CATALOG, telemetry, clock=world.clock).complete(ASKED, deadline=world.clock.now + 60)
    assert (answer.message.text, answer.notices) == ("Perhaps then.", (UNSURE,))


def test_the_first_tier_has_half_of_the_time() -> None:
    seen: list[float] = []

    class Watching:
        def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
            seen.append(deadline)
            raise BudgetExceeded("the day's budget is used up")

    clock = Clock()
    with pytest.raises(BudgetExceeded):
        Cascade(Watching(), CATALOG, MemoryTelemetry(), clock=clock).complete(ASKED, deadline=clock.now + 100)
    assert seen == [clock.now + 50]


@pytest.mark.parametrize(
    "asked",
    [
        request(user("Hi")),
        ASKED.model_copy(update={"tools": (ADD,)}),
        ASKED.model_copy(update={"tier": "fast"}),
        ASKED.model_copy(update={"output_schema": {"type": "object", "properties": {"next": {"$ref": "#"}}}}),
    ],
    ids=["nobody asks for it", "tools", "the tier is the first", "a schema that can't be wrapped"],
)
def test_other_requests_go_straight_to_their_tier(asked: ChatRequest) -> None:
    world = Tall(reply('{"next": {}}'))
    world.ask(asked)
    assert len(world.anthropic.sent) == 1
    assert world.outcomes == []


def test_a_first_tier_that_is_not_there_is_the_callers_error() -> None:
    with pytest.raises(InvalidInput, match="tier"):
        Tall().ask(ASKED.model_copy(update={"cascade": CascadeSpec(first="nowhere")}))


def test_a_callers_error_is_not_asked_twice() -> None:
    world = Tall(ProviderFailure(Outcome.CALLER_ERROR, "400"))
    with pytest.raises(PentadError):
        world.ask()
    assert world.requests == 1


def test_definitions_move_to_the_root() -> None:
    node = {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/$defs/N"}, {"type": "null"}]}}}
    schema = wrap_schema({"type": "object", "properties": {"n": {"$ref": "#/$defs/N"}}, "$defs": {"N": node}})
    assert schema is not None
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate({"answer": {"n": {"next": {"next": None}}}, "confidence": 0.5})
    assert not validator.is_valid({"answer": {"n": {"next": 4}}, "confidence": 0.5})


ROUTING = """
tiers:
  primary: {chain: [claude-sonnet-5-5]}
  fast: {chain: [claude-haiku-5-5]}
tasks:
  reason: {tier: primary, cascade: {first: FIRST, threshold: 0.6}}
  embed: {tier: fast}
"""


def routed(first: str) -> ModelCatalog:
    from importlib import resources

    models = resources.files("pentad.models.catalog").joinpath("catalog.yaml").read_text(encoding="utf-8")
    return parse(models, ROUTING.replace("FIRST", first))


def test_a_task_may_declare_it_and_a_named_tier_or_model_goes_past_it() -> None:
    catalog = routed("fast")
    assert catalog.route(task="reason").cascade == CascadeSpec(first="fast", threshold=0.6)
    assert catalog.route(task="reason", tier="primary").cascade is None
    assert catalog.route(task="reason", model=SONNET_NAME).cascade is None


@pytest.mark.parametrize("first", ["nowhere", "primary"])
def test_a_task_that_names_no_lower_tier_is_a_mistake_with_its_line(first: str) -> None:
    with pytest.raises(ConfigurationError, match=r"routing\.yaml:\d+: tasks\.reason\.cascade\.first"):
        routed(first)


def test_a_draft_is_kept_for_exact_repeats_too() -> None:
    world = Tall(draft("spam", 0.9))
    cached = CachedChat(world.gateway, MemoryResponseCache(clock=world.clock), CATALOG, world.telemetry)
    chat = Cascade(cached, CATALOG, world.telemetry, clock=world.clock)
    asked = ASKED.model_copy(update={"task": "classify", "tier": "primary"})
    replies = [chat.complete(asked, deadline=world.clock.now + 60) for _ in range(2)]
    assert [each.message.text for each in replies] == ["spam", "spam"]
    assert replies[1].cost_nanousd == 0
    assert world.requests == 1
