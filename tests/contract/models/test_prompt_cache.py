"""What a provider may cache of a prompt stays the same, byte for byte, while a conversation grows."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from pentad.domain.declarations.agents import ContextSpec
from pentad.domain.messages import Message, ToolResultBlock
from pentad.domain.models import ChatRequest
from pentad.memory.context.window import assemble, choose_epoch
from pentad.memory.sessions.ports import StoredMessage
from pentad.models.catalog.catalog import ModelEntry
from pentad.models.providers.exchange import ProviderReply
from pentad.models.providers.ports import ProviderChat
from tests.contract.models.conftest import Desk, Serve
from tests.unit.models.samples import ADD, GPT, SONNET, message, request, user
from twin.servers.loopback import Request, Response, json_response
from twin.simulator import SimulatorControl

SYSTEM = "You help. " + "Rules of the house: be exact and be brief. " * 120  # more than 1,024 tokens
MODELS: dict[str, ModelEntry] = {"anthropic": SONNET, "openai": GPT}
QUESTIONS = ("Add 1 and 2.", "And to that 3?", "What was the first sum? Ä 日本", "Thanks. And 5 more?")


class Provider:
    """Answers each question with a tool call and, given its result, with words; keeps the bytes it was sent."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def __call__(self, asked: Request) -> Response:
        self.bodies.append(asked.body)
        number = len(self.bodies)
        made = self._anthropic if asked.path.endswith("/messages") else self._openai
        return json_response(200, made(number, calls=number % 2 == 1))

    @staticmethod
    def _anthropic(number: int, *, calls: bool) -> dict[str, Any]:
        thinking = {"type": "thinking", "thinking": "Hm.", "signature": f"s{number}"}
        call = {"type": "tool_use", "id": f"toolu_{number}", "name": "add", "input": {"b": 2, "a": 1.5}}
        text = {"type": "text", "text": f"Answer {number}: ü.", "citations": None}
        usage = {"input_tokens": 9, "output_tokens": 9}
        stop = "tool_use" if calls else "end_turn"
        content = [thinking, call if calls else text]
        return {"type": "message", "role": "assistant", "content": content, "stop_reason": stop, "usage": usage}

    @staticmethod
    def _openai(number: int, *, calls: bool) -> dict[str, Any]:
        data = f"e{number}"
        thinking: Any = {
            "type": "reasoning",
            "id": f"rs_{number}",
            "summary": [],
            "encrypted_content": data,
            "status": None,
        }
        arguments = '{"b": 2, "a": 1.5}'
        call = {"type": "function_call", "id": "fc_1", "call_id": data, "name": "add", "arguments": arguments}
        part = {"type": "output_text", "text": f"Answer {number}: ü.", "annotations": []}
        text = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}
        usage = {"input_tokens": 9, "output_tokens": 9}
        output = [thinking, call if calls else text]
        return {"object": "response", "status": "completed", "output": output, "usage": usage}


@dataclass
class Conversation:
    """A session as memory stores it and the gateway's adapters send it."""

    chat: ProviderChat
    provider: str
    stored: list[StoredMessage]

    def add(self, made: Message) -> None:
        self.stored.append(StoredMessage(seq=len(self.stored), message=made))

    def ask(self, question: str, **fields: Any) -> None:
        self.add(user(question))
        calling = self.send(**fields)
        self.add(message("assistant", *calling.blocks, raw=calling.raw))
        self.add(user(ToolResultBlock(call_id=calling.tool_calls[0].call_id, content="3", untrusted=True)))
        answer = self.send(**fields)
        self.add(message("assistant", *answer.blocks, raw=answer.raw))

    def send(self, **fields: Any) -> ProviderReply:
        asked = request(*assemble(self.stored), system=SYSTEM, tools=(ADD,), **fields)
        return self.chat.send(MODELS[self.provider], asked, max_output_tokens=2_000, timeout=20)


@pytest.fixture(params=["anthropic", "openai"])
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def heard() -> Provider:
    return Provider()


@pytest.fixture
def talk(serve: Serve, heard: Provider, provider: str) -> Conversation:
    return Conversation(getattr(serve(heard), provider), provider, [])


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def parts(body: bytes) -> Iterator[tuple[bytes, bool]]:
    """Yield the cacheable parts of a request in the providers' order, each with whether a breakpoint ends it.

    That they are the bytes of the wire is checked: read and written again, the body is the same.
    """
    sent = json.loads(body)
    assert compact(sent) == body
    for tool in sent["tools"]:
        yield _bare(tool)
    if "input" in sent:
        yield compact(sent["instructions"]), False
        # OpenAI's implicit breakpoint is at the end.
        for position, item in enumerate(sent["input"]):
            yield compact(item), position == len(sent["input"]) - 1
        return
    for block in sent["system"]:
        yield _bare(block)
    for turn in sent["messages"]:
        for block in turn["content"]:
            content, marked = _bare(block)
            yield turn["role"].encode() + content, marked


def _bare(block: dict[str, Any]) -> tuple[bytes, bool]:
    marked = "cache_control" in block
    return compact({key: value for key, value in block.items() if key != "cache_control"}), marked


def cached_prefix(body: bytes) -> bytes:
    """Return the bytes up to the last breakpoint."""
    every = list(parts(body))
    last = max(position for position, (_, marked) in enumerate(every) if marked)
    return b"\0".join(content for content, _ in every[: last + 1])


def whole(body: bytes) -> bytes:
    return b"\0".join(content for content, _ in parts(body))


def settings(body: bytes) -> dict[str, Any]:
    """Return what else of a request decides whether a prefix is found."""
    grows = ("messages", "input", "system", "tools")
    return {key: value for key, value in json.loads(body).items() if key not in grows}


def test_each_cached_prefix_is_a_byte_prefix_of_the_next_request(talk: Conversation, heard: Provider) -> None:
    for question in QUESTIONS:
        talk.ask(question)
    assert len(heard.bodies) == 2 * len(QUESTIONS)
    for earlier, later in pairwise(heard.bodies):
        assert whole(later).startswith(cached_prefix(earlier))
        assert len(cached_prefix(later)) > len(cached_prefix(earlier))
        assert settings(later) == settings(earlier)


def test_all_of_a_prompt_is_in_the_cached_prefix(talk: Conversation, heard: Provider) -> None:
    talk.ask(QUESTIONS[0])
    assert [cached_prefix(body) for body in heard.bodies] == [whole(body) for body in heard.bodies]


def test_a_new_epoch_keeps_tools_and_system_and_then_is_stable_again(talk: Conversation, heard: Provider) -> None:
    for question in QUESTIONS:
        talk.ask(question)
    before = heard.bodies[-1]
    talk.add(user("What now?"))
    epoch = choose_epoch(talk.stored, ContextSpec(high_water_tokens=1_000, low_water_tokens=500), lambda text: 60)
    assert epoch.first_seq > 0
    del talk.stored[: epoch.first_seq]
    talk.stored.pop()
    talk.ask("What now?")
    first, second = heard.bodies[-2:]
    shared = b"\0".join(content for content, _ in list(parts(before))[:2])  # the tool and the system prompt
    assert whole(first).startswith(shared)
    assert not whole(first).startswith(cached_prefix(before))
    assert whole(second).startswith(cached_prefix(first))


def test_anthropic_gets_at_most_four_breakpoints_one_of_them_after_what_all_runs_share(
    serve: Serve, heard: Provider
) -> None:
    talk = Conversation(serve(heard).anthropic, "anthropic", [])
    for question in QUESTIONS:
        talk.ask(question)
    for body in heard.bodies:
        marks = [marked for _, marked in parts(body)]
        assert marks[:2] == [True, True]
        assert 3 <= sum(marks) <= 4
        assert marks[-1]


@pytest.mark.parametrize(
    ("provider", "policy", "expected"),
    [
        ("anthropic", None, {"type": "ephemeral"}),
        ("anthropic", "5m", {"type": "ephemeral"}),
        ("anthropic", "1h", {"type": "ephemeral", "ttl": "1h"}),
        ("anthropic", "none", None),
        ("openai", None, None),
        ("openai", "5m", None),
        ("openai", "1h", {"ttl": "12h"}),
        ("openai", "none", {"mode": "explicit"}),
    ],
    indirect=["provider"],
)
def test_the_lifetime_is_the_policys(talk: Conversation, heard: Provider, policy: Any, expected: Any) -> None:
    talk.add(user("Hello"))
    talk.send(prompt_cache=policy)
    sent = json.loads(heard.bodies[0])
    if talk.provider == "openai":
        assert sent.get("prompt_cache_options") == expected
        assert ("prompt_cache_key" in sent) == (policy != "none")
        return
    controls = [block.get("cache_control") for block in (*sent["tools"], *sent["system"])]
    assert controls == [expected, expected]


def test_an_openai_model_of_before_the_options_is_not_sent_them(serve: Serve, heard: Provider) -> None:
    prices = GPT.prices.model_copy(update={"cache_write_5m": 0, "cache_write_1h": 0})
    older = GPT.model_copy(update={"prices": prices})
    chat = serve(heard).openai
    for policy in ("none", "1h"):
        asked = request(user("Hello"), prompt_cache=policy)
        chat.send(older, asked, max_output_tokens=200, timeout=20)
    sent = [json.loads(body) for body in heard.bodies]
    assert not any("prompt_cache_options" in each for each in sent)
    assert ["prompt_cache_key" in each for each in sent] == [False, True]


def _reads(desk: Desk, provider: str, turns: Sequence[str]) -> list[tuple[int, int]]:
    """Return (cached read, all input) tokens of each answer of a conversation through the gateway."""
    said: list[Message] = []
    seen = []
    for question in turns:
        said.append(user(question))
        reply = desk.complete(_asked(provider, *said))
        said.append(reply.message)
        usage = reply.usage
        everything = usage.total_tokens - usage.output_tokens
        seen.append((usage.cache_read_tokens, everything))
    return seen


def _asked(provider: str, *said: Message) -> ChatRequest:
    return request(*said, system=SYSTEM, tools=(ADD,), model=MODELS[provider].name)


def test_cache_reads_grow_with_the_conversation(desk: Desk, control: SimulatorControl, provider: str) -> None:
    long = [f"{question} {'Consider this at length. ' * 60}" for question in QUESTIONS]
    seen = _reads(desk, provider, long)
    reads = [read for read, _ in seen]
    assert reads[0] == 0
    assert reads[1:] == sorted(set(reads[1:]))
    # All of the last prompt but its newest messages was read, at a twentieth of the price.
    assert reads[-1] / seen[-1][1] > 0.7


def test_another_run_of_the_agent_reads_what_all_its_runs_share(desk: Desk, control: SimulatorControl) -> None:
    _reads(desk, "anthropic", ["Hello?"])
    ((read, _),) = _reads(desk, "anthropic", ["A different question?"])
    assert read > 1_024


def test_a_task_without_a_prompt_cache_reads_and_writes_none(desk: Desk, control: SimulatorControl) -> None:
    for _ in range(2):
        usage = desk.complete(_asked("anthropic", user("Hi")).model_copy(update={"prompt_cache": "none"})).usage
        assert usage.cache_read_tokens == usage.cache_write_5m_tokens == usage.cache_write_1h_tokens == 0


def test_the_long_lifetime_is_billed_as_such(desk: Desk, control: SimulatorControl) -> None:
    usage = desk.complete(_asked("anthropic", user("Hi")).model_copy(update={"prompt_cache": "1h"})).usage
    assert usage.cache_write_1h_tokens > 1_024
    assert usage.cache_write_5m_tokens == 0
