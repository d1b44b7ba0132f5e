"""What is an OpenAI-compatible server's alone: no key, its dialect on the wire, ids it leaves out, signed calls."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from pentad.domain.messages import ToolResultBlock
from pentad.domain.models import Outcome
from pentad.domain.usage import Usage
from pentad.models.catalog.provider_entries import Dialect, ProviderEntry
from pentad.models.providers.adapters import openai_compatible_wire
from pentad.models.providers.adapters.openai_compatible import OpenAICompatibleChat
from pentad.models.providers.adapters.openai_embeddings import OpenAIEmbeddings
from pentad.models.providers.adapters.secrets import FixedCredentials
from pentad.models.providers.exchange import ProviderFailure
from tests.contract.models.conftest import CATALOG, KEY, MODELS, Serve
from tests.contract.models.wire_bodies import ok
from tests.unit.models.samples import ADD, SCHEMA, call, message, request, user
from twin.servers.loopback import LoopbackServer, Request, Response, json_response

MODEL = MODELS["compatible"]


@pytest.mark.parametrize(("key", "header"), [("", None), (KEY, f"Bearer {KEY}")])
def test_a_key_is_sent_where_there_is_one_and_never_another(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, key: str, header: str | None
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "the-one-of-openai")
    seen: list[Request] = []
    adapters = serve(_noting(seen))
    entry = ProviderEntry(name="den", kind="openai_compatible", base_url=f"{adapters.url}/v1")
    chat = OpenAICompatibleChat(entry, FixedCredentials(key))
    assert chat.send(MODEL, request(), max_output_tokens=50, timeout=20).text == "Fine."
    assert seen[0].headers.get("authorization") == header
    assert seen[0].path == "/v1/chat/completions"
    chat.close()


def _noting(seen: list[Request]) -> Callable[[Request], Response]:
    def answer(asked: Request) -> Response:
        seen.append(asked)
        return ok("compatible")

    return answer


def _sent(serve: Serve, dialect: Dialect, **fields: Any) -> dict[str, Any]:
    seen: list[Request] = []
    adapters = serve(_noting(seen))
    entry = ProviderEntry(name="den", kind="openai_compatible", base_url=f"{adapters.url}/v1", dialect=dialect)
    chat = OpenAICompatibleChat(entry, FixedCredentials(""))
    chat.send(MODEL, request(system="Be brief.", **fields), max_output_tokens=50, timeout=20)
    chat.close()
    found: dict[str, Any] = seen[0].json()
    return found


def test_the_dialect_is_what_is_on_the_wire(serve: Serve) -> None:
    plain = _sent(serve, Dialect(), output_schema=SCHEMA)
    assert plain["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (plain["max_tokens"], plain["response_format"]["type"]) == (50, "json_schema")
    small = Dialect(system_role="user", structured_output="prompt", parallel_tools=False)
    told = _sent(serve, small, output_schema=SCHEMA, tools=(ADD,))
    assert [one["role"] for one in told["messages"]] == ["user"]
    assert told["messages"][0]["content"].startswith("Be brief.\n\nReply with one JSON value")
    assert ("response_format" in told, told["parallel_tool_calls"]) == (False, False)
    new = _sent(serve, Dialect(system_role="developer", output_limit="max_completion_tokens"))
    assert (new["messages"][0]["role"], new["max_completion_tokens"]) == ("developer", 50)


def test_calls_go_back_signed_and_with_the_ids_that_they_were_given(serve: Serve) -> None:
    signed = {"extra_content": {"google": {"thought_signature": "c2lnbmVk"}}}
    function = {"name": "add", "arguments": '{"a": 1, "b": 2}'}
    first = {"role": "assistant", "tool_calls": [{"type": "function", "function": function, **signed}]}
    seen: list[dict[str, Any]] = []

    def answer(asked: Request) -> Response:
        seen.append(asked.json())
        choice = {"message": first, "finish_reason": "stop"}
        return json_response(200, {"id": "c", "choices": [choice]}) if len(seen) == 1 else ok("compatible")

    adapters = serve(answer)
    given = adapters.compatible.send(MODEL, request(tools=(ADD,)), max_output_tokens=50, timeout=20)
    [made] = given.tool_calls
    turn = message("assistant", *given.blocks, raw=given.raw)
    results = user(ToolResultBlock(call_id=made.call_id, content="3"))
    adapters.compatible.send(MODEL, request(user("Add."), turn, results, tools=(ADD,)), max_output_tokens=9, timeout=20)
    [back] = seen[1]["messages"][1]["tool_calls"]
    assert (back["id"], back["extra_content"]) == (made.call_id, signed["extra_content"])
    assert seen[1]["messages"][2]["tool_call_id"] == made.call_id


def test_calls_of_another_provider_say_so_where_the_server_asks(serve: Serve) -> None:
    dialect = CATALOG.providers["gemini"].dialect
    asked = (user("Add."), message("assistant", call("c1")), user(ToolResultBlock(call_id="c1", content="3")))
    seen: list[Request] = []
    adapters = serve(_noting(seen))
    entry = ProviderEntry(name="den", kind="openai_compatible", base_url=f"{adapters.url}/v1", dialect=dialect)
    chat = OpenAICompatibleChat(entry, FixedCredentials(""))
    chat.send(MODEL, request(*asked, tools=(ADD,)), max_output_tokens=50, timeout=20)
    chat.close()
    [back] = seen[0].json()["messages"][1]["tool_calls"]
    assert back["extra_content"]["google"]["thought_signature"] == "skip_thought_signature_validator"


def test_thinking_that_is_in_the_total_only_is_billed(serve: Serve) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 150}
    choice = {"message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}
    adapters = serve(lambda _: json_response(200, {"id": "c", "choices": [choice], "usage": usage}))
    reply = adapters.compatible.send(MODEL, request(), max_output_tokens=50, timeout=20)
    assert reply.usage == Usage(input_tokens=100, output_tokens=50, thinking_tokens=30)


def test_an_error_that_comes_as_a_200_is_one(serve: Serve) -> None:
    adapters = serve(lambda _: json_response(200, {"error": {"code": 429, "message": "slow down"}}))
    with pytest.raises(ProviderFailure) as caught:
        adapters.compatible.send(MODEL, request(), max_output_tokens=50, timeout=20)
    assert caught.value.outcome is Outcome.RATE_LIMIT


@pytest.mark.parametrize(("takes", "fields"), [(False, {"encoding_format"}), (True, {"encoding_format", "dimensions"})])
def test_embeddings_of_a_compatible_server(takes: bool, fields: set[str]) -> None:
    seen: list[dict[str, Any]] = []

    def answer(asked: Request) -> Response:
        seen.append(json.loads(asked.body))
        return json_response(200, {"data": [{"index": 0, "embedding": [0.6, 0.8]}], "usage": {"prompt_tokens": 3}})

    server = LoopbackServer(answer, name="embeddings")
    dialect = Dialect(dimensions=takes)
    entry = ProviderEntry(name="den", kind="openai_compatible", base_url=f"{server.start()}/v1", dialect=dialect)
    adapter = OpenAIEmbeddings(FixedCredentials(""), entry=entry)
    model = CATALOG.models["text-embedding-3-small"]
    assert adapter.send(model, ["a"], dimensions=2, timeout=20).vectors == ((0.6, 0.8),)
    assert set(seen[0]) == {"model", "input", *fields}
    adapter.close()
    server.stop()


class Thinker:
    """A server like DeepSeek's in thinking mode: it refuses calls that come back without what was thought."""

    def __init__(self, field: str = "reasoning_content") -> None:
        self.seen: list[dict[str, Any]] = []
        self._field = field

    def __call__(self, asked: Request) -> Response:
        body = asked.json()
        self.seen.append(body)
        calling = [one for one in body["messages"] if one["role"] == "assistant" and one.get("tool_calls")]
        if any(self._field not in one for one in calling):
            words = f"The `{self._field}` in the thinking mode must be passed back to the API."
            return json_response(400, {"error": {"message": words, "type": "invalid_request_error"}})
        message: dict[str, Any] = {"role": "assistant", "content": "3.", self._field: "Now I know."}
        if len(self.seen) == 1:
            function = {"name": "add", "arguments": '{"a": 1, "b": 2}'}
            called = {"id": "call_0", "type": "function", "function": function}
            message |= {"content": None, self._field: "I add.", "tool_calls": [called]}
        return json_response(200, {"id": "c", "choices": [{"message": message, "finish_reason": "stop"}]})


def _thinking_chat(serve: Serve, thinker: Thinker, **dialect: Any) -> OpenAICompatibleChat:
    url = f"{serve(thinker).url}/v1"
    entry = ProviderEntry(name="den", kind="openai_compatible", base_url=url, dialect=Dialect(**dialect))
    return OpenAICompatibleChat(entry, FixedCredentials(""))


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_goes_back_with_the_calls_that_came_of_it(serve: Serve, field: str) -> None:
    thinker = Thinker(field)
    chat = _thinking_chat(serve, thinker, reasoning="tool_calls")
    model = MODEL.model_copy(update={"provider": "den"})
    first = chat.send(model, request(tools=(ADD,)), max_output_tokens=50, timeout=20)
    turn = message("assistant", *first.blocks, raw=first.raw)
    results = user(ToolResultBlock(call_id="call_0", content="3"))
    asked = (user("Add."), turn, results)
    second = chat.send(model, request(*asked, tools=(ADD,)), max_output_tokens=50, timeout=20)
    said = message("assistant", *second.blocks, raw=second.raw)
    chat.send(model, request(*asked, said, user("Sure?"), tools=(ADD,)), max_output_tokens=50, timeout=20)
    chat.close()
    sent = [one.get(field) for one in thinker.seen[2]["messages"] if one["role"] == "assistant"]
    assert sent == ["I add.", None]  # what was thought for words alone is not asked for


def test_calls_of_another_model_have_an_empty_reasoning_where_the_server_asks_for_one(serve: Serve) -> None:
    thinker = Thinker()
    chat = _thinking_chat(serve, thinker, reasoning="tool_calls")
    asked = (user("Add."), message("assistant", call("c1")), user(ToolResultBlock(call_id="c1", content="3")))
    chat.send(MODEL, request(*asked, tools=(ADD,)), max_output_tokens=50, timeout=20)
    chat.close()
    assert thinker.seen[0]["messages"][1]["reasoning_content"] == ""


@pytest.mark.parametrize(("reasoning", "sent"), [("none", [None, None]), ("all", ["I add.", "Now I know."])])
def test_a_dialect_says_which_reasoning_goes_back(serve: Serve, reasoning: str, sent: list[str | None]) -> None:
    thinker = Thinker()
    chat = _thinking_chat(serve, thinker, reasoning="all")
    model = MODEL.model_copy(update={"provider": "den"})
    first = chat.send(model, request(tools=(ADD,)), max_output_tokens=50, timeout=20)
    asked = (
        user("Add."),
        message("assistant", *first.blocks, raw=first.raw),
        user(ToolResultBlock(call_id="call_0", content="3")),
    )
    second = chat.send(model, request(*asked, tools=(ADD,)), max_output_tokens=50, timeout=20)
    chat.close()
    said = message("assistant", *second.blocks, raw=second.raw)
    whole = request(*asked, said, user("Sure?"), tools=(ADD,))
    body = openai_compatible_wire.encode(
        model, whole, Dialect.model_validate({"reasoning": reasoning}), max_output_tokens=9
    )
    assert [one.get("reasoning_content") for one in body["messages"] if one["role"] == "assistant"] == sent
