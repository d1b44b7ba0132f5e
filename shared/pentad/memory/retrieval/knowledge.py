"""The built-in tool `search_knowledge`: an agent searches the documents again, in its own words, in any of its steps.

It is run by the function of Recall, which has the index and the embedder at hand; the tool runner calls it as it calls
a tool's function. What it returns has the same markers as passages that came with a question, and the call is in the
session, so an answer may cite them.
"""

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Final, Protocol, runtime_checkable

from pydantic import AfterValidator, Field, ValidationError

from pentad.domain.declarations.agents import KnowledgeSpec, ToolSpec
from pentad.domain.errors import InvalidInput
from pentad.domain.knowledge import SEARCH_KNOWLEDGE, Passage
from pentad.domain.messages import CitableText, Message, ToolResultBlock
from pentad.domain.models import CallContext
from pentad.domain.values import FrozenValue
from pentad.memory.retrieval.passages import make_citable, make_marker, name_passage
from pentad.memory.retrieval.readers import choose_collections
from pentad.memory.retrieval.search import DocumentSearch, Found, Wanted
from pentad.models.ports import Embedder

MOST_PASSAGES: Final = 20
QUERY_CHARACTERS: Final = 2000
RESULT_TOKENS: Final = 4000
"""Of the passages of one call, as estimated; a result of 64 KB would be cut in its middle."""
_NOTHING: Final = "No passage was found. Search again with other words, or say that the documents don't tell."


DocumentName = Annotated[str, AfterValidator(partial(unicodedata.normalize, "NFC"))]
"""As the API keeps names: users' files and models write them in other forms too."""


class KnowledgeFilter(FrozenValue):
    """Which documents are searched."""

    documents: tuple[DocumentName, ...] = Field(
        default=(), max_length=20, description="names; all where there are none"
    )


class KnowledgeQuery(FrozenValue):
    """The arguments of a call."""

    query: str = Field(min_length=1, max_length=QUERY_CHARACTERS)
    filter: KnowledgeFilter = KnowledgeFilter()
    limit: int = Field(default=6, ge=1, le=MOST_PASSAGES)


SPEC: Final = ToolSpec(
    name=SEARCH_KNOWLEDGE,
    description=(
        "Search the documents. Use it where the passages that came with the question do not answer all of it: look for "
        "one thing at a time, in the words that the documents would use, and again with what a first search told "
        "you. Returns passages, each with its marker in 'cite': cite it behind what you take from the passage."
    ),
    input_schema={
        "type": "object",
        "properties": {
            "query": {
                "type": "string",
                "minLength": 1,
                "maxLength": QUERY_CHARACTERS,
                "description": "what to look for: a question or the words that should stand there",
            },
            "filter": {
                "type": "object",
                "properties": {
                    "documents": {
                        "type": "array",
                        "items": {"type": "string"},
                        "maxItems": 20,
                        "description": "search these documents only, by their names",
                    }
                },
                "additionalProperties": False,
            },
            "limit": {
                "type": "integer",
                "minimum": 1,
                "maximum": MOST_PASSAGES,
                "description": "passages at most; 6 where it is left out",
            },
        },
        "required": ["query"],
        "additionalProperties": False,
    },
    effects="none",
    idempotent=True,
    timeout_seconds=30,
    trusted_output=False,
)
"""As the model is told of it. An agent has it that names it under ``tools``."""


@runtime_checkable
class HasMessage(Protocol):
    """A message that is stored."""

    @property
    def message(self) -> Message:
        """The message."""
        ...


class KnowledgeSearch:
    """Answers calls of the tool.

    Args:
        documents: searches them.
        embedder: turns questions into vectors.
    """

    def __init__(self, documents: DocumentSearch, embedder: Embedder) -> None:
        self._documents = documents
        self._embedder = embedder

    def run(
        self, arguments: Mapping[str, Any], knowledge: KnowledgeSpec, context: CallContext, *, deadline: float
    ) -> dict[str, Any]:
        """Return the result of a call.

        Args:
            arguments: as the model gave them.
            knowledge: how the agent retrieves.
            context: on whose behalf.
            deadline: ``time.time()`` by which an answer is of use.

        Raises:
            InvalidInput: the arguments are not valid.
            StoreUnavailable: the vectors did not answer.
            ModelUnavailable: the embedder did not, and the store can't find by words.
            ModelThrottled: the same.
            BudgetExceeded: a budget leaves no room for embedding.
        """
        try:
            asked = KnowledgeQuery.model_validate(arguments)
        except ValidationError as error:
            fault = error.errors()[0]
            raise InvalidInput(
                f"{'.'.join(map(str, fault['loc'])) or 'arguments'}: {fault['msg']}", field="arguments"
            ) from error
        documents = asked.filter.documents
        wanted = Wanted(
            text=asked.query,
            context=context,
            top_k=asked.limit,
            minimum_score=knowledge.minimum_score,
            minimum_relevance=knowledge.minimum_relevance,
            tokens=RESULT_TOKENS,
            deadline=deadline,
            where=choose_collections(knowledge.collections) | ({"document": documents} if documents else {}),
        )
        return build_result(self._documents.find(wanted, self._embedder))


def build_result(found: Found) -> dict[str, Any]:
    """Return what the model is told of what was found, the best first."""
    result: dict[str, Any] = {"passages": [_tell_passage(passage) for passage in found.passages]}
    if not found.passages:
        result["note"] = _NOTHING
    if found.notices:
        result["notices"] = list(found.notices)
    return result


def read_found_passages(stored: Iterable[HasMessage]) -> dict[str, Passage]:
    """Return the passages that calls of the tool returned, by id.

    Args:
        stored: messages in order: a result counts only where it answers a call of this tool.
    """
    passages: dict[str, Passage] = {}
    calls: set[str] = set()
    for one in stored:
        if one.message.role == "assistant":
            calls = {call.call_id for call in one.message.tool_calls if call.tool == SEARCH_KNOWLEDGE}
            continue
        for block in one.message.blocks if calls else ():
            if isinstance(block, ToolResultBlock) and block.call_id in calls and not block.is_error:
                found = _parse_passages(_split_result(block.content)[0])
                passages |= {passage.passage_id: passage for passage in found}
    return passages


def with_citable_results(message: Message, asking: Message | None) -> Message:
    """Return a message with its results of this tool also as text with its passages apart.

    Args:
        message: as it is sent.
        asking: the one before it, whose calls it answers.
    """
    calls = {call.call_id for call in asking.tool_calls if call.tool == SEARCH_KNOWLEDGE} if asking else set()
    if not calls:
        return message
    blocks = tuple(
        block.model_copy(update={"citable": _take_apart(block.content)})
        if isinstance(block, ToolResultBlock) and block.call_id in calls and not block.is_error
        else block
        for block in message.blocks
    )
    return message.model_copy(update={"blocks": blocks})


def _take_apart(content: str) -> CitableText | None:
    """Return what a result says with its passages apart; None where it has none, or what can't be read as one."""
    value, behind = _split_result(content)
    passages = tuple(_parse_passages(value))
    citable = make_citable(passages)
    if not citable or len(passages) < len(value["passages"]):
        return None
    rest = {name: said for name, said in value.items() if name != "passages"}
    said = json.dumps(rest, ensure_ascii=False) if rest else ""
    return CitableText(passages=citable, after="\n".join(filter(None, (said, behind.strip()))))


def _tell_passage(passage: Passage) -> dict[str, Any]:
    told = passage.model_dump(exclude={"score"}, exclude_defaults=True, mode="json")
    # The marker stands first: it is what the model has to copy.
    return {"cite": make_marker(name_passage(passage.passage_id)), **told}


def _split_result(content: str) -> tuple[dict[str, Any], str]:
    """Return a result, and what stands behind its JSON: it may be a note of the runner's. It is empty if it is none."""
    try:
        value, end = json.JSONDecoder().raw_decode(content)
    except ValueError:
        return {}, content
    return (value, content[end:]) if isinstance(value, dict) else ({}, content)


def _parse_passages(value: Mapping[str, Any]) -> Iterator[Passage]:
    told = value.get("passages")
    for one in told if isinstance(told, Sequence) and not isinstance(told, str) else ():
        if not isinstance(one, dict):
            continue
        fields = {name: field for name, field in one.items() if name in Passage.model_fields}
        try:
            yield Passage.model_validate({**fields, "score": 0.0})
        except ValidationError:
            continue
