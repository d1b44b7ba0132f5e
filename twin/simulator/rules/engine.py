"""Put the rules together: read where the conversation stands, call tools, or answer.

In this order: a rating, or what to remember, that is asked for; a schema to fill or a forced tool; results of tools
that were called; tools that the question needs (all in one turn); what the past alone answers; the passages; and else
the plain statement that nothing given answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from html import unescape

from twin.simulator.neutral import Conversation, Reply, Tool, ToolCall, ToolResult
from twin.simulator.rules.arguments.confidence import PASSING
from twin.simulator.rules.arguments.dates import find_dates, make_date_call
from twin.simulator.rules.arguments.fitting import fit_arguments, fit_calls
from twin.simulator.rules.arguments.generic import fill_arguments, plan_generic_calls
from twin.simulator.rules.arguments.schema import find_property, has_any_word, is_complete, list_required
from twin.simulator.rules.arguments.structured import Filler
from twin.simulator.rules.arithmetic import evaluate, find_expressions, show
from twin.simulator.rules.extract import answer_from, compute_coverage
from twin.simulator.rules.followups import FollowUp, acknowledge_fact, follow_up
from twin.simulator.rules.notes import NoteIntent, find_note, make_note_call
from twin.simulator.rules.prompt import Passage, Situation, read_situation
from twin.simulator.rules.rating import rate, read_own_rating, with_json_mode, with_spoken_schema
from twin.simulator.rules.remember import answer_memory
from twin.simulator.rules.results import describe_result, extract_passages
from twin.simulator.rules.text import extract_terms, shorten, split_sentences

MAX_PARALLEL_CALLS = 8
NOTHING = "The documents given do not answer this question."
NO_CONTEXT = (
    "I am a local simulator, which answers from documents and tools by plain rules, "
    "and nothing in this conversation answers this question."
)
DANGLING = "I do not know what this refers to: there is no earlier message about it in this conversation."
_GREETING = re.compile(r"^\W*(?:hi|hello|hey|good (?:morning|evening|afternoon)|thanks?|thank you)\b[^?]{0,30}$", re.I)
_ASKS = re.compile(
    r"[?\uff1f\u061f]|^\W*(?:what|how|why|when|where|which|who|does|do|is|are|can|explain|describe|tell|list|give|show|find|search)\b",
    re.I,
)
_SUMMARISE = re.compile(r"\bsummar(?:y|ise|ize|ies)\b|\bcondense\b", re.I)
_MATERIAL = re.compile(r"<(document|request|material|text)>\s*(.*?)\s*</\1>", re.DOTALL)


@dataclass(frozen=True)
class Plan:
    """Tool calls that a question needs, what they leave of it, and answers that need no tool."""

    calls: tuple[ToolCall, ...] = ()
    rest: str = ""
    computed: tuple[str, ...] = ()
    waiting: NoteIntent | None = None


class RuleEngine:
    """Answers conversations; stateless, so safe under threads."""

    def __init__(self, today: Callable[[], date] = lambda: datetime.now(UTC).date()) -> None:
        self._today = today

    def generate_reply(self, conversation: Conversation) -> Reply:
        """Return the reply of the rules, before limits and stop sequences."""
        conversation = with_json_mode(with_spoken_schema(conversation))
        rated = rate(conversation)
        if rated is not None:
            return Reply(text=rated)
        remembered = answer_memory(conversation)
        if remembered is not None:
            return Reply(text=remembered)
        situation = read_situation(conversation)
        named = _find_forced_tool(conversation)
        if named is not None and not situation.done:
            text = _collect_source(conversation, situation)
            arguments = fill_arguments(named, situation.question.text)
            arguments = arguments and fit_arguments(named, arguments, situation.question.text)
            if arguments is None or not is_complete(named, arguments):
                arguments = Filler(text, score=_compute_score(situation)).fill({"type": "object", **named.schema})
            return Reply(calls=(ToolCall(named.name, arguments),), stop="tool_calls")
        read = follow_up(situation.question.text, situation.past, conversation.system)
        tools = conversation.tools if conversation.choice.mode != "none" else ()
        plan = self._plan(read, situation, tools)
        reply = self._next(conversation, situation, read, plan)
        if conversation.schema is None or reply.calls:
            return reply
        answer = reply.text if reply.text not in (NOTHING, NO_CONTEXT, DANGLING) else ""
        filler = Filler(
            _collect_source(conversation, situation),
            answer,
            situation.question.text,
            read_own_rating(conversation),
            _compute_score(situation),
        )
        return Reply(text=json.dumps(filler.fill(conversation.schema), ensure_ascii=False))

    def _next(self, conversation: Conversation, situation: Situation, read: FollowUp, plan: Plan) -> Reply:
        made = {(call.name, json.dumps(call.arguments, sort_keys=True)) for call, _ in situation.done}
        open_calls = [
            call for call in plan.calls if (call.name, json.dumps(call.arguments, sort_keys=True)) not in made
        ]
        if plan.waiting is not None and situation.done and not open_calls:
            open_calls = self._finish_note(plan.waiting, conversation.tools, situation, made)
        if situation.done and conversation.choice.parallel and plan.waiting is None:
            open_calls = []  # all were called together; what came back is the answer
        if open_calls:
            limit = MAX_PARALLEL_CALLS if conversation.choice.parallel else 1
            return Reply(calls=tuple(open_calls[:limit]), stop="tool_calls")
        return Reply(text=self._answer(situation, read, plan))

    def _finish_note(
        self, note: NoteIntent, tools: tuple[Tool, ...], situation: Situation, made: set[tuple[str, str]]
    ) -> list[ToolCall]:
        """Save a note whose text is what the other tools brought."""
        if any(has_any_word(Tool(name, "", {}), "note") for name, _ in made):
            return []
        brought = " ".join(describe_result(call, result) for call, result in situation.done)
        call = make_note_call(NoteIntent(note.title, brought), tools)
        return fit_calls([call] if call else [], tools, brought)

    def _plan(self, read: FollowUp, situation: Situation, tools: tuple[Tool, ...]) -> Plan:
        if read.answer is not None or read.dangling:
            return Plan(rest="")
        calls: list[ToolCall] = []
        computed: list[str] = []
        note, text = find_note(read.question)
        if note is not None and (saving := make_note_call(note, tools)) is not None:
            if not note.needs_result:
                calls.append(saving)
        else:
            note, text = None, read.question
        text = self._plan_dates(text, tools, calls)
        text = _plan_arithmetic(text, tools, calls, computed)
        if not calls and not computed:
            calls.extend(_plan_others(text, read, situation, tools))
            if calls:
                text = ""
        waiting = note if note is not None and note.needs_result and calls else None
        if note is not None and note.needs_result and not calls and (saving := make_note_call(note, tools)):
            calls.append(saving)
        calls.sort(key=lambda call: _find_position(call, read.question))
        return Plan(tuple(fit_calls(calls, tools, read.question)), text, tuple(computed), waiting)

    def _plan_dates(self, text: str, tools: tuple[Tool, ...], calls: list[ToolCall]) -> str:
        intents, rest = find_dates(text, self._today())
        planned = [call for intent in intents if (call := make_date_call(intent, tools)) is not None]
        calls.extend(planned)
        return rest if planned else text

    def _answer(self, situation: Situation, read: FollowUp, plan: Plan) -> str:
        parts = [describe_result(call, result) for call, result in situation.done if not _is_search_result(result)]
        parts.extend(plan.computed)
        found = tuple(passage for _, result in situation.done if result for passage in extract_passages(result))
        if read.answer is not None:
            return " ".join([*parts, read.answer])
        if not parts or len(extract_terms(plan.rest)) >= 2:
            question = read.question if not parts else plan.rest
            documents = self._from_documents(situation, found, question, read)
            if documents is not None:
                parts.append(documents)
        return " ".join(parts) or self._choose_fallback(situation, found, read)

    def _from_documents(
        self, situation: Situation, found: tuple[Passage, ...], question: str, read: FollowUp
    ) -> str | None:
        passages = situation.question.passages + found
        if passages and _SUMMARISE.search(question):
            firsts = [passage for passage in passages[:4] if split_sentences(passage.text)]
            return " ".join(f"{split_sentences(one.text)[0].rstrip('.')}{one.marker}." for one in firsts) or None
        answer = answer_from(passages, question, read.background)
        if answer is None and read.background:
            # Earlier passages have numbers of their own, so they are told without a citation.
            earlier = [passage for exchange in situation.past for passage in exchange.question.passages]
            answer = answer_from(earlier, question, read.background, cite=False)
        return answer

    def _choose_fallback(self, situation: Situation, found: tuple[Passage, ...], read: FollowUp) -> str:
        """Return what to say when nothing answers."""
        question = situation.question.text
        if read.dangling or read.fallback:
            return read.fallback or DANGLING
        told = acknowledge_fact(question)
        if told is not None:
            return told
        if _GREETING.match(question):
            return "Hello! Ask me about the documents, or for something that my tools can do."
        if read.background and not situation.question.passages and situation.past:
            return f"About “{shorten(read.background, 120)}” I can only repeat: {situation.past[-1].answer}"
        if situation.question.passages or found or situation.done:
            return NOTHING
        if _SUMMARISE.search(question) and len(split_sentences(question)) > 2:
            return shorten(" ".join(split_sentences(question)[1:4]), 600)
        return NO_CONTEXT


def _find_position(call: ToolCall, question: str) -> int:
    """Return where a question speaks of a call: at the longest number or word of its arguments."""
    pieces = re.findall(r"[\w.-]+", " ".join(str(value) for value in call.arguments.values()))
    places = [(len(piece), question.find(piece)) for piece in pieces if piece in question]
    return max(places, key=lambda place: (place[0], -place[1]))[1] if places else len(question)


def _plan_arithmetic(text: str, tools: tuple[Tool, ...], calls: list[ToolCall], computed: list[str]) -> str:
    found = find_expressions(text)
    tool = next((one for one in tools if find_property(one, ("expression", "expr", "formula"), ("string",))), None)
    for expression in found.expressions:
        if tool is not None:
            name = find_property(tool, ("expression", "expr", "formula")) or "expression"
            power = "^" if "^" in tool.description and "**" not in tool.description else "**"
            arguments = {name: expression.replace("**", power)}
            if is_complete(tool, arguments):
                calls.append(ToolCall(tool.name, arguments))
                continue
        try:
            computed.append(f"The result of {expression} is {show(evaluate(expression))}.")
        except ValueError as exc:
            computed.append(f"The result of {expression} cannot be given: {exc}.")
    return found.rest


def _plan_others(text: str, read: FollowUp, situation: Situation, tools: tuple[Tool, ...]) -> list[ToolCall]:
    """Call tools of the user's own, or the search where no passages came with the question."""
    searches = [tool for tool in tools if _is_search(tool)]
    others = [
        tool for tool in tools if tool not in searches and not has_any_word(Tool(tool.name, "", {}), "note", "notes")
    ]
    others += [tool for tool in tools if tool not in searches and tool not in others and not list_required(tool)]
    calls = plan_generic_calls(text, others)
    if calls or situation.question.passages or not searches:
        return calls
    if not _ASKS.search(text) or acknowledge_fact(text) or _GREETING.match(text) or not extract_terms(text):
        return []
    query = f"{read.background} {text}".strip()
    name = find_property(searches[0], ("query", "question", "q"), ("string",)) or "query"
    return [ToolCall(searches[0].name, {name: query})] if is_complete(searches[0], {name: query}) else []


def _is_search(tool: Tool) -> bool:
    name = find_property(tool, ("query", "question", "q"), ("string",))
    return name is not None and has_any_word(tool, "search", "knowledge", "retrieve", "lookup", "documents")


def _is_search_result(result: ToolResult | None) -> bool:
    """Whether a result is passages, which are answered from rather than told."""
    return result is not None and not result.is_error and bool(extract_passages(result))


def _find_forced_tool(conversation: Conversation) -> Tool | None:
    """Return the tool that the request forces, if it does."""
    choice = conversation.choice
    if choice.mode == "tool":
        return next((tool for tool in conversation.tools if tool.name == choice.name), None)
    if choice.mode == "any" and conversation.tools:
        situation = read_situation(conversation)
        wished = RuleEngine()._plan(FollowUp(situation.question.text), situation, conversation.tools).calls
        name = wished[0].name if wished else conversation.tools[0].name
        return next(tool for tool in conversation.tools if tool.name == name)
    return None


def _collect_source(conversation: Conversation, situation: Situation) -> str:
    """Return the text that a schema is filled from: the question with its passages and results, or the whole talk.

    Of a question that marks its material, as in ``<document>...</document>``, that is the material without the words
    that say what to do with it.
    """
    material = [unescape(found[2]) for found in _MATERIAL.finditer(situation.question.text)]
    parts: Sequence[str] = [
        *(material or [situation.question.text]),
        *(passage.text for passage in situation.question.passages),
        *(result.text for _, result in situation.done if result),
    ]
    text = "\n\n".join(part for part in parts if part)
    return text or "\n\n".join(turn.text for turn in conversation.turns if turn.text)


def _compute_score(situation: Situation) -> float:
    """Return what a draft gets, between 0.5 and 0.95: the more of the question's words the passages cover, the more."""
    if not situation.question.passages:
        return PASSING
    return round(0.5 + 0.45 * compute_coverage(situation.question.passages, situation.question.text), 2)
