"""How many tokens tools take with and without deferral, and how often the right one is found."""

import json
import time
from dataclasses import dataclass

from benchmarks.tools.corpus import Corpus
from pentad.domain.usage import estimate_tokens
from pentad.tools.offer.choose import choose_offer, estimate_tool
from pentad.tools.offer.find import ToolIndex

FOUND = 5
"""Tools that `find_tools` returns where the model does not say how many."""
WINDOW = 200_000
SHARE = 0.1


@dataclass(frozen=True)
class Tokens:
    """Estimated tokens of an agent's tools, a turn.

    Attributes:
        tools: how many there are.
        every: all definitions.
        sent: what is sent at a window of 200,000 tokens and a share of 10 %.
        forced: what is sent where they are found by words in any case.
        found: of one answer of `find_tools`, once in a run.
    """

    tools: int
    every: int
    sent: int
    forced: int
    found: int


@dataclass(frozen=True)
class Hits:
    """How often the right tool is found. Shares of the requests.

    Attributes:
        tools: among how many.
        requests: how many were made, each the user's own words.
        first: the right one came first.
        five: it was among the first five.
        ten: it was among the first ten.
        milliseconds: of one search.
        build_milliseconds: of the index, once in a process.
    """

    tools: int
    requests: int
    first: float
    five: float
    ten: float
    milliseconds: float
    build_milliseconds: float


def count_tokens(corpus: Corpus, count: int) -> Tokens:
    """Return the tokens of the first so many tools."""
    tools = sorted(corpus.tools[:count], key=lambda tool: tool.name)
    every = sum(map(estimate_tool, tools))
    room = int(WINDOW * SHARE)
    index = ToolIndex(tools)
    answers = [
        sum(
            estimate_tokens(json.dumps(one.tool.model_dump(include={"name", "description", "input_schema"})))
            for one in index.find(request.words, FOUND)
        )
        for request in corpus.requests
    ]
    return Tokens(
        tools=len(tools),
        every=every,
        sent=sum(map(estimate_tool, choose_offer(tools, room).sent)),
        forced=sum(map(estimate_tool, choose_offer(tools, min(room, every - 1)).sent)),
        found=round(sum(answers) / len(answers)),
    )


def count_hits(corpus: Corpus) -> Hits:
    """Search with the words of every request."""
    began = time.perf_counter()
    index = ToolIndex(corpus.tools)
    built = time.perf_counter() - began
    places: list[int | None] = []
    began = time.perf_counter()
    for request in corpus.requests:
        names = [one.tool.name for one in index.find(request.words, 10)]
        places.append(names.index(request.tool) if request.tool in names else None)
    took = time.perf_counter() - began
    count = len(places)

    def share(most: int) -> float:
        return sum(1 for place in places if place is not None and place < most) / count

    each = took / count * 1000
    return Hits(len(corpus.tools), count, share(1), share(5), share(10), each, built * 1000)
