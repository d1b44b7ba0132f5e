"""Which untrusted text a turn's context holds: from what is stored, so that every retry finds the same. Pure.

Untrusted are results of tools with ``trusted_output=False``, passages of documents, what a queue or an event brought,
and what was made of any of it: a reply keeps the sources of its context (`Message.taint`), and what is recalled,
summarised or learned of it keeps them too. So they stay when the text itself is no longer sent.
"""

from collections.abc import Iterator, Sequence

from pentad.domain.knowledge import SEARCH_KNOWLEDGE
from pentad.domain.messages import Message, TextBlock, ToolCallBlock, ToolResultBlock
from pentad.domain.runs import Run, ToolCall
from pentad.domain.taint.sources import DOCUMENTS, MANY, merge_sources, name_tool_source
from pentad.memory.sessions.ports import StoredMessage
from pentad.tools.policy.given_addresses import SaidText, Speaker, iter_strings
from pentad.tools.policy.outside_words import UntrustedText
from pentad.tools.results.read import READ_RESULT


def find_call_sources(calls: Sequence[ToolCall], known: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the sources of untrusted text among the results of calls.

    Args:
        calls: that have ended.
        known: of their run so far: what reads a result on brings no other source than that result has.
    """
    untrusted = [call for call in calls if call.untrusted]
    named = (call.sources or (name_source(call.tool),) for call in untrusted if call.tool != READ_RESULT)
    reads_on = any(call.tool == READ_RESULT for call in untrusted)
    return merge_sources(*named, (known or (MANY,)) if reads_on else ())


def name_source(tool: str) -> str:
    """Return the source that a tool's untrusted results have."""
    return DOCUMENTS if tool == SEARCH_KNOWLEDGE else name_tool_source(tool)


def find_taint(run: Run, seen: Sequence[StoredMessage]) -> tuple[str, ...]:
    """Return the sources of untrusted text in a turn's context.

    Args:
        run: its run, which may have begun with some.
        seen: what the model is sent.
    """
    return merge_sources(run.taint, *(sources for one in seen for sources in _iter_sources(one)))


def _iter_sources(one: StoredMessage) -> Iterator[tuple[str, ...]]:
    yield one.message.taint
    if not one.message.taint and any(_is_untrusted(block) for block in one.message.blocks):
        yield (MANY,)  # of a version that kept no sources
    if one.is_bare:
        return
    if one.passages:
        yield (DOCUMENTS,)
    yield from (utterance.taint for utterance in one.recalled)
    if one.remembered is not None:
        yield from (fact.taint for fact in one.remembered.facts)
        if one.remembered.summary is not None:
            yield one.remembered.summary.taint


def _is_untrusted(block: object) -> bool:
    return isinstance(block, ToolResultBlock) and block.untrusted


def list_untrusted_texts(seen: Sequence[StoredMessage]) -> list[UntrustedText]:
    """Return the untrusted text in a turn's context, oldest first, to find its words in arguments."""
    found: list[UntrustedText] = []
    for one in seen:
        found += (UntrustedText(DOCUMENTS, passage.text) for passage in ([] if one.is_bare else one.passages))
        for utterance in () if one.is_bare else one.recalled:
            found += (UntrustedText(source, utterance.text) for source in utterance.taint[:1])
        source = one.message.taint[0] if len(one.message.taint) == 1 else MANY
        found += (
            UntrustedText(source, block.content)
            for block in one.message.blocks
            if isinstance(block, ToolResultBlock) and block.untrusted
        )
        if one.message.role == "user" and one.message.taint:
            found += (UntrustedText(source, block.text) for block in one.message.blocks if isinstance(block, TextBlock))
    return found


def list_said(seen: Sequence[StoredMessage], *, asked_by: Speaker = "outside") -> list[SaidText]:
    """Return a turn's context in order, with who said it, to tell addresses that nobody gave.

    Left out is what a model made of other text (facts, summaries), or said in an earlier conversation, and results of
    tools that hold nothing from outside: those may have changed the form of what the model gave them.

    Args:
        seen: what the model is sent.
        asked_by: whose a request with text from outside is: a workflow's holds what models said before.
    """
    found: list[SaidText] = []
    for one in seen:
        speaker = _find_speaker(one.message, asked_by)
        for block in one.message.blocks:
            if isinstance(block, TextBlock):
                found.append(SaidText(block.text, speaker))
            elif isinstance(block, ToolCallBlock):
                found += (SaidText(text, "model") for text in iter_strings(block.arguments))
            elif isinstance(block, ToolResultBlock) and block.untrusted:
                found.append(SaidText(block.content, "outside"))
        found += (SaidText(passage.text, "outside") for passage in ([] if one.is_bare else one.passages))
    return found


def _find_speaker(message: Message, asked_by: Speaker) -> Speaker:
    if message.role == "assistant":
        return "model"
    if _is_own(message):
        return "user"
    return asked_by if message.step == 0 else "outside"


def list_own_words(seen: Sequence[StoredMessage]) -> list[str]:
    """Return what users wrote themselves in a turn's context."""
    return [one.message.text for one in seen if _is_own(one.message)]


def _is_own(message: Message) -> bool:
    return message.role == "user" and not message.step and not message.taint
