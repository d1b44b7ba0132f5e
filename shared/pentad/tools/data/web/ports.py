"""What web search asks of a provider."""

from dataclasses import dataclass
from typing import Literal, Protocol

Freshness = Literal["day", "week", "month", "year"]


@dataclass(frozen=True)
class WebQuery:
    """A question to the web.

    Args:
        words: at most 400 characters.
        freshness: not older than so.
        page: 0 for the first; Tavily has no other.
    """

    words: str
    freshness: Freshness | None = None
    page: int = 0


@dataclass(frozen=True)
class WebResult:
    """One page that was found.

    Args:
        url: its address.
        title: its title.
        text: what the provider shows of it, without markup.
        published: its date as the provider has it.
    """

    url: str
    title: str
    text: str
    published: str | None = None


class WebSearch(Protocol):
    """A provider of web search."""

    def search(self, query: WebQuery) -> list[WebResult]:
        """Return what was found, best first.

        Raises:
            InvalidInput: the provider does not take the question.
            ConfigurationError: it does not accept the key.
            ToolThrottled: its rate is reached.
            ToolFailed: the plan's quota is used up.
            ToolUnavailable: it did not answer.
        """
        ...
