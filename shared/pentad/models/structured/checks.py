"""Check a reply before it leaves the gateway: tools exist, call ids differ, arguments and output fit their schemas."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from pentad.domain.declarations.agents import FIND_TOOLS, USE_TOOL, ToolSpec
from pentad.domain.display.unicode_text import mend_escapes
from pentad.domain.errors import InvalidInput
from pentad.domain.messages import ContentBlock, TextBlock, ToolCallBlock
from pentad.domain.models import ChatRequest, StopReason
from pentad.domain.reading.coercion import coerce
from pentad.domain.schemas import find_violations
from pentad.models.providers import strictjson
from pentad.models.providers.exchange import ProviderReply

MAX_PROBLEMS = 5
_MAX_TEXT = 300
_MAX_SCHEMA = 3_000
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


_OF_A_CALL = re.compile(r"(?P<what>the (?:arguments|call) of) ")
_FAULTS = ("are not valid JSON", "are not a JSON object", "is not whole", "has no usable id")
_WITHOUT_CONTENT = frozenset(
    {
        "the tool calls are not a list of objects",
        "a tool call has no name or no id",
        "a tool call has no name, no id or no arguments",
        "a message of the reply is not whole",
    }
)
"""What adapters say of a reply that repeats none of its words."""


class ReplyProblem(NamedTuple):
    """What is wrong with a reply.

    Attributes:
        told: a sentence for the model; it may repeat what the model wrote.
        reason: the same for ledger, trace and log, without content.
    """

    told: str
    reason: str


def _iter_violations(value: Any, schema: Mapping[str, Any]) -> Iterable[ReplyProblem]:
    try:
        for error in find_violations(schema, value):
            path = "$" + "".join(_name_step(step) for step in error.absolute_path)
            yield ReplyProblem(f"{error.json_path}: {error.message}"[:_MAX_TEXT], f"{path} ({error.validator})")
    except InvalidInput as error:
        yield ReplyProblem(f"$: {error.message}", "$")


def _name_step(step: object) -> str:
    """Return one step of a path; a key that is no plain name may be a user's word."""
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if isinstance(step, str) and _PLAIN_NAME.fullmatch(step) else ".*"


def _find_tool_problems(reply: ProviderReply, request: ChatRequest) -> Iterable[ReplyProblem]:
    tools, deferred = _name_tools(request), {tool.name for tool in request.deferred}
    seen: set[str] = set()
    for call in reply.tool_calls:
        if call.call_id in seen:
            yield ReplyProblem(f"two tool calls have the id '{call.call_id}'", "two tool calls have one id")
        seen.add(call.call_id)
        if call.tool not in tools:
            known = ", ".join(tool.name for tool in request.tools) or "none"
            known += f"; find others by {FIND_TOOLS}" if deferred else ""
            yield ReplyProblem(
                f"no tool '{call.tool[:64]}'; the tools are: {known}", "a call of a tool that does not exist"
            )
            continue
        for told, reason in _iter_violations(call.arguments, tools[call.tool].input_schema):
            what = f"the arguments of '{call.tool}' don't fit its schema at"
            yield ReplyProblem(f"{what} {told}", f"{what} {reason}")
            if call.tool in deferred:  # The model may never have seen it.
                schema = json.dumps(tools[call.tool].input_schema, ensure_ascii=False)
                yield ReplyProblem(f"the parameters of '{call.tool}' are {schema[:_MAX_SCHEMA]}", f"{what} {reason}")
                break


def _name_tools(request: ChatRequest) -> dict[str, ToolSpec]:
    """Return the tools that may be called, by name: calls by `USE_TOOL` have been opened."""
    tools = (*request.tools, *request.deferred)
    return {tool.name: tool for tool in tools if tool.name != USE_TOOL or not request.deferred}


def open_calls(reply: ProviderReply, request: ChatRequest) -> ProviderReply:
    """Return a reply in which a call by `USE_TOOL` is one of the tool that it names; its raw form stays as it came.

    One that names no tool, or whose arguments are no fit object, stays as it is, and is a problem of the reply.
    """
    if not request.deferred:
        return reply
    blocks = tuple(_open_call(block) if isinstance(block, ToolCallBlock) else block for block in reply.blocks)
    return reply if blocks == reply.blocks else replace(reply, blocks=blocks)


def _open_call(block: ToolCallBlock) -> ToolCallBlock:
    name, given = block.arguments.get("name"), block.arguments.get("arguments", {})
    if block.tool != USE_TOOL or not isinstance(name, str) or name == USE_TOOL:
        return block
    if isinstance(given, str):  # Models write an object within an object as text.
        try:
            given = strictjson.read(given or "{}")
        except ValueError:
            return block
    is_fit = isinstance(given, dict) and not strictjson.find_problem(given)
    return block.model_copy(update={"tool": name, "arguments": given}) if is_fit else block


def _find_output_problems(reply: ProviderReply, schema: Mapping[str, Any]) -> Iterable[ReplyProblem]:
    try:
        value = strictjson.read(reply.text)
    except ValueError:
        yield ReplyProblem(
            "the reply is not JSON alone; write the JSON value and nothing else", "the reply is not JSON alone"
        )
        return
    found = strictjson.find_problem(value)
    if found:
        yield ReplyProblem(f"the JSON of the reply {found}", "the JSON of the reply has equal keys or no numbers")
        return
    for told, reason in _iter_violations(value, schema):
        yield ReplyProblem(
            f"the reply does not fit its schema at {told}", f"the reply does not fit its schema at {reason}"
        )


def find_problems(reply: ProviderReply, request: ChatRequest) -> tuple[str, ...]:
    """Return sentences about what is wrong with a reply that ended by itself, at most five; none if it is good."""
    return tuple(problem.told for problem in diagnose_reply(reply, request))


def diagnose_reply(reply: ProviderReply, request: ChatRequest) -> tuple[ReplyProblem, ...]:
    """Return what is wrong with a reply that ended by itself, at most five problems; none if it is good."""
    found = find_unread(reply, request)
    found.extend(_find_tool_problems(reply, request))
    if reply.stop is StopReason.TOOL_CALLS and not reply.tool_calls and not found:
        words = "the reply ended to call a tool, and has no call"
        found.append(ReplyProblem(words, words))
    if request.output_schema is not None and reply.stop is StopReason.END:
        found.extend(_find_output_problems(reply, request.output_schema))
    if not found and not reply.text.strip() and not reply.tool_calls:
        found.append(ReplyProblem("the reply is empty", "the reply is empty"))
    return tuple(found[:MAX_PROBLEMS])


def take_forms(reply: ProviderReply, request: ChatRequest) -> ProviderReply:
    """Return a reply whose arguments and value have the form that their schemas ask for, where only that is wrong.

    The table of what is taken for what: `pentad.domain.reading.coercion`. The raw form goes back to its provider as it
    came.
    """
    reply = open_calls(reply, request)
    tools = _name_tools(request)
    blocks = tuple(
        block.model_copy(update={"arguments": coerce(tools[block.tool].input_schema, block.arguments)})
        if isinstance(block, ToolCallBlock) and block.tool in tools
        else block
        for block in reply.blocks
    )
    if request.output_schema is not None and reply.stop is StopReason.END and not reply.tool_calls:
        blocks = _take_output_form(blocks, reply.text, request.output_schema)
    return reply if blocks == reply.blocks else replace(reply, blocks=blocks)


def _take_output_form(
    blocks: tuple[ContentBlock, ...], text: str, schema: Mapping[str, Any]
) -> tuple[ContentBlock, ...]:
    """Return the blocks with the value in its schema's form as their only text, where that is not so already."""
    bare = mend_escapes(strip_fence(text))
    try:
        value = strictjson.read(bare)
    except ValueError:
        return blocks
    taken = value if strictjson.find_problem(value) else coerce(schema, value)
    if taken is value and bare == text:
        return blocks
    words = bare if taken is value else json.dumps(taken, ensure_ascii=False)
    return (*(block for block in blocks if not isinstance(block, TextBlock)), TextBlock(text=words))


def strip_fence(text: str) -> str:
    """Return what stands in a code fence around the whole text, as models put one around JSON; else the text."""
    bare = text.strip()
    opening, line, rest = bare.partition("\n")
    if line and opening.lower() in ("```", "```json") and rest.endswith("```"):
        return rest.removesuffix("```")
    return text


def find_unread(reply: ProviderReply, request: ChatRequest) -> list[ReplyProblem]:
    """Return what the adapter could not read of a reply."""
    tools = _name_tools(request)
    return [ReplyProblem(each, _tell_unread(each, tools)) for each in reply.problems]


def _tell_unread(problem: str, tools: Iterable[str]) -> str:
    """Return which part of a reply could not be read, and of a tool that there is the kind of fault; no other words."""
    if problem in _WITHOUT_CONTENT:
        return problem
    of_a_call = _OF_A_CALL.match(problem)
    if of_a_call is None:
        return "a part of the reply could not be read"
    what, rest = of_a_call["what"], problem[of_a_call.end() :]
    name = next((name for name in sorted(tools, key=len, reverse=True) if rest.startswith(f"{name[:64]} ")), None)
    if name is None:
        return f"{what} a tool that does not exist could not be read"
    fault = rest[len(name[:64]) + 1 :]
    return f"{what} '{name}' {fault if fault in _FAULTS else 'could not be read'}"


def repair_note(found: Iterable[str]) -> str:
    """Return what to say to a model whose reply could not be used."""
    listed = json.dumps(list(found), ensure_ascii=False, indent=1)
    return f"Your last reply was not used, for these reasons:\n{listed}\nReply again, complete and corrected."
