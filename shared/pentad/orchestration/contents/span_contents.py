"""Put what was said into spans on their way to a tracing product that asks for it: redacted, of named agents only.

No log has these attributes: they are added when a share of spans is sent, from what the run's session holds.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pentad.domain.errors import InvalidInput, NotFound, StoreUnavailable
from pentad.domain.messages import ContentBlock, Message, TextBlock, ToolCallBlock, ToolResultBlock
from pentad.domain.runs import Run
from pentad.memory.sessions.ports import SessionStore
from pentad.orchestration.contents.mask_said import Mask, dump_said, mask_said
from pentad.orchestration.contents.ports import NameFinder
from pentad.orchestration.contents.write import read_text
from pentad.orchestration.runs.ports import RunStore

INPUT, OUTPUT = "gen_ai.input.messages", "gen_ai.output.messages"
ARGUMENTS, RESULT = "gen_ai.tool.call.arguments", "gen_ai.tool.call.result"
MOST_TEXT: Final = 8_000
"""Characters of one text in a span."""
MOST_MESSAGES: Final = 20
"""Of a run, that a span has as its input: the newest."""
_PAGE: Final = 200
_MOST_READ: Final = 2_000
"""Messages of a run that are looked at: the turns after them have no contents, the run has its answer."""
PATIENCE_SECONDS: Final = 60.0
"""A span leaves within moments, a reply and a tool's result are stored with the turn: so long they are waited for."""
Json = dict[str, Any]


class _Said(NamedTuple):
    """What was said in a run, its answer, and whether more may come."""

    messages: list[Message]
    answer: str | None
    ended: bool


class SpanContents:
    """Adds contents to spans.

    Args:
        runs: the store of runs.
        sessions: the store of sessions, which has what was said.
        agents: whose runs; all others' spans stay as they are.
        mask: takes secrets and personal data out of a text.
        names: finds what has no form; None for nobody.
        clock: ``time.time``.
    """

    def __init__(
        self,
        runs: RunStore,
        sessions: SessionStore,
        *,
        agents: Sequence[str],
        mask: Mask,
        names: NameFinder | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._runs = runs
        self._sessions = sessions
        self._agents = frozenset(agents)
        self._mask = mask
        self._names = names
        self._clock = clock

    def __call__(self, spans: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Return spans, those of turns, tool calls and runs with what was said; of a run that is gone as they are.

        Args:
            spans: each with ``tenant`` and ``run`` beside the span's own fields, where it is a run's.

        Raises:
            StoreUnavailable: a store did not answer, or has not yet what a span of a minute ago says; again is safe.
            ConfigurationError: see `NameFinder`.
        """
        read: dict[tuple[str, str], _Said | None] = {}
        return [self._add(span, read) for span in spans]

    def _add(self, span: Mapping[str, Any], read: dict[tuple[str, str], _Said | None]) -> Mapping[str, Any]:
        given, place = span.get("attributes") or {}, (str(span.get("tenant")), str(span.get("run")))
        operation = given.get("gen_ai.operation.name")
        if operation not in _CHOOSERS or not span.get("run") or not span.get("tenant"):
            return span
        if place not in read:
            read[place] = self._read_messages(*place)
        said = read[place]
        if said is None:
            return span
        chosen = _CHOOSERS[operation](said, given)
        late = self._clock() - int(span["end"]) / 1e9 > PATIENCE_SECONDS
        if not said.ended and not late and _is_missing(operation, given, chosen):
            raise StoreUnavailable("what a span says is not stored yet")
        added = {name: self._write(value, given, name) for name, value in chosen.items() if value}
        return {**span, "attributes": {**given, **added}} if added else span

    def _read_messages(self, tenant_id: str, run_id: str) -> _Said | None:
        try:
            run = self._runs.get(tenant_id, run_id)
        except (NotFound, InvalidInput):  # a tool may have printed a span of its own
            return None
        if run.agent not in self._agents:
            return None
        return _Said(list(self._iter_messages(run)), run.answer, run.status.ended)

    def _iter_messages(self, run: Run) -> Iterator[Message]:
        for first in range(run.request_seq, run.request_seq + _MOST_READ, _PAGE):
            page = self._sessions.read(run.tenant_id, run.session_id, first, first + _PAGE - 1)
            own = [one.message for one in page if one.message.run_id == run.run_id]
            yield from own
            if len(own) < _PAGE:  # a run's messages follow each other
                return

    def _write(
        self, value: list[Message] | ToolCallBlock | ToolResultBlock, given: Mapping[str, Any], name: str
    ) -> str:
        """Return what an attribute says: a text, or messages as the conventions' JSON has them."""
        if isinstance(value, ToolCallBlock):
            return self._cut(dump_said(value.arguments))
        if isinstance(value, ToolResultBlock):
            return self._cut(value.content)
        messages = [built for one in value for built in self._build_messages(one)]
        if name == OUTPUT:
            # A reply has to say why it ended: without it, products refuse the message.
            reason = _find_reason(given.get("gen_ai.response.finish_reasons"))
            messages = [{**one, "finish_reason": reason} for one in messages]
        return dump_said(messages)

    def _build_messages(self, message: Message) -> list[Json]:
        """Return a message, before it each result of a tool as one of the role ``tool``."""
        results = [one for one in message.blocks if isinstance(one, ToolResultBlock)]
        others = [one for one in message.blocks if not isinstance(one, ToolResultBlock)]
        built: list[Json] = [{"role": "tool", "parts": [self._build_part(one)]} for one in results]
        if others:
            built.append({"role": message.role, "parts": [self._build_part(one) for one in others]})
        return built

    def _build_part(self, block: ContentBlock) -> Json:
        if isinstance(block, ToolCallBlock):
            arguments = self._cut(dump_said(block.arguments))
            return {"type": "tool_call", "id": block.call_id, "name": block.tool, "arguments": arguments}
        if isinstance(block, ToolResultBlock):
            return {"type": "tool_call_response", "id": block.call_id, "response": self._cut(block.content)}
        return {"type": "reasoning" if block.type == "thinking" else "text", "content": self._cut(read_text(block))}

    def _cut(self, text: str) -> str:
        # Cut after the redaction: half of a card's number is not known as one.
        said = mask_said(text, self._mask, self._names)
        return said if len(said) <= MOST_TEXT else f"{said[:MOST_TEXT]}[cut]"


def _find_reason(reasons: Any) -> str:
    return str(reasons[0]) if isinstance(reasons, list | tuple) and reasons else "stop"


def _choose_turn(said: _Said, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a turn's model was told of this run, and its reply."""
    messages, step = said.messages, given.get("pentad.step")
    at = next((place for place, one in enumerate(messages) if one.role == "assistant" and one.step == step), None)
    if at is None or not _is_turn(given):
        return {}
    return {INPUT: messages[max(0, at - MOST_MESSAGES) : at], OUTPUT: messages[at : at + 1]}


def _is_turn(given: Mapping[str, Any]) -> bool:
    return given.get("pentad.attempt.outcome") == "ok" and given.get("pentad.purpose", "turn") == "turn"


def _is_missing(operation: str, given: Mapping[str, Any], chosen: Mapping[str, Any]) -> bool:
    """Tell whether a reply or a tool's result is not there, which the run will have."""
    return (operation == "chat" and _is_turn(given) and OUTPUT not in chosen) or (
        operation == "execute_tool" and chosen[RESULT] is None
    )


def _choose_call(said: _Said, given: Mapping[str, Any]) -> dict[str, Any]:
    call_id = given.get("gen_ai.tool.call.id")
    blocks = [block for one in said.messages for block in one.blocks]
    return {
        ARGUMENTS: next((one for one in blocks if isinstance(one, ToolCallBlock) and one.call_id == call_id), None),
        RESULT: next((one for one in blocks if isinstance(one, ToolResultBlock) and one.call_id == call_id), None),
    }


def _choose_run(said: _Said, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run's question, and its answer as it was given to its user."""
    first = said.messages[:1]
    if said.answer is None:
        return {INPUT: first}
    answer: Any = {"role": "assistant", "blocks": (TextBlock(text=said.answer),)}
    return {INPUT: first, OUTPUT: [one.model_copy(update=answer) for one in first]}


_CHOOSERS = {"chat": _choose_turn, "execute_tool": _choose_call, "invoke_agent": _choose_run}
