"""Order, number and render passages for the model.

Numbers run over the whole context, not over one message: the same passage has the same number wherever it stands, and
numbers are given in the order of first appearance since the epoch began. So a marker in an answer means one passage,
and a message renders the same for as long as the epoch lasts.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from pentad.domain.display.frames import escape_text, quote_attribute
from pentad.domain.knowledge import Passage
from pentad.domain.usage import estimate_tokens
from pentad.memory.tokens import Counter


class HasPassages(Protocol):
    """A message with the passages that were given with it."""

    @property
    def passages(self) -> tuple[Passage, ...]:
        """The passages, in the order in which they were shown."""
        ...


def edge_order(passages: Iterable[Passage]) -> tuple[Passage, ...]:
    """Return passages with the most relevant at the edges: ranks 1, 3, 5, ... 6, 4, 2.

    Models use what stands first and last best (Liu et al. 2023, "Lost in the Middle").
    """
    ranked = sorted(passages, key=lambda passage: (-passage.score, passage.passage_id))
    return (*ranked[::2], *reversed(ranked[1::2]))


def passage_numbers(stored: Sequence[HasPassages]) -> dict[str, int]:
    """Return the number of each passage id in these messages (which begin with the epoch)."""
    numbers: dict[str, int] = {}
    for one in stored:
        for passage in one.passages:
            numbers.setdefault(passage.passage_id, len(numbers) + 1)
    return numbers


def render_question(message: str, passages: Sequence[Passage], numbers: Mapping[str, int] | None = None) -> str:
    """Return the user's message as the model sees it (docs/architecture.md): as it is where there are no passages.

    Args:
        message: the user's, as text.
        passages: in the order in which they are shown.
        numbers: the number of each passage id; 1, 2, 3, ... where none are given.
    """
    if not passages:
        return message
    if numbers is None:
        numbers = {passage.passage_id: index for index, passage in enumerate(passages, 1)}
    shown = "\n".join(_render(passage, numbers[passage.passage_id]) for passage in passages)
    return f"<passages>\n{shown}\n</passages>\n<question>{escape_text(message)}</question>"


def _render(passage: Passage, number: int) -> str:
    document, title = quote_attribute(passage.document), quote_attribute(passage.title)
    return f'<passage id="{number}" document={document} title={title}>\n{escape_text(passage.text)}\n</passage>'


def estimate_passages(message: str, passages: Sequence[Passage], count: Counter = estimate_tokens) -> int:
    """Return the estimated tokens by which the passages make the user's message longer.

    Args:
        message: the user's, as text.
        passages: what is given with them.
        count: estimates the tokens of a text.
    """
    if not passages:
        return 0
    # Numbers of two or three digits instead of one make no difference that an estimate could see.
    return count(render_question(message, passages)) - count(message)
