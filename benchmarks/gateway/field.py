"""Who is compared with whom, and how many requests a call makes. Standard library only: all processes read it."""

from dataclasses import dataclass
from typing import Literal

Home = Literal["pentad", "litellm"]
"""The environment of a contender: the project's, or the one of the benchmark alone."""

ANTHROPIC_MODEL = "claude-sonnet-5-5"
OPENAI_MODEL = "gpt-6.1-sol"
SYSTEM = "You answer questions about the handbook in one sentence, and you cite the passage that you take it from."
ANSWER = (
    "A lease is an agreement by which one party uses the property of another for a time, against rent [cite:k7f2qa]."
)
MAX_TOKENS = 16_000


def question(number: int) -> str:
    """Return the question of a call: all of one length, no two equal, so that no cache can know the answer."""
    return f"Question {number:012d}: what is a lease, who are its parties, and where does the handbook say so?"


@dataclass(frozen=True)
class Entry:
    """One contender.

    Args:
        name: its name.
        label: what it is, for the table.
        baseline: what its times are divided by: the same requests made by the SDKs alone.
        home: where it runs.
        up: requests a call makes that are answered.
        down: requests a call makes that get 529.
    """

    name: str
    label: str
    baseline: str
    home: Home = "pentad"
    up: int = 1
    down: int = 0


FIELD = (
    Entry("httpx2", "raw httpx2", "anthropic"),
    Entry("anthropic", "Anthropic SDK", "anthropic"),
    Entry("openai", "OpenAI SDK", "openai"),
    Entry("pentad", "Pentad, an agent's turn", "anthropic"),
    Entry("pentad_miss", "Pentad, cached task, a miss", "anthropic"),
    Entry("pentad_hit", "Pentad, cached task, a hit", "anthropic", up=0),
    Entry("litellm", "LiteLLM completion", "anthropic", home="litellm"),
    Entry("litellm_router", "LiteLLM Router", "anthropic", home="litellm"),
    Entry("two_sdks", "two SDK calls by hand", "two_sdks", down=1),
    Entry("pentad_fallback", "Pentad, fallback", "two_sdks", down=1),
    Entry("pentad_open", "Pentad, circuit open", "openai"),
    Entry("litellm_fallback", "LiteLLM Router, fallback", "two_sdks", home="litellm", down=1),
)
BY_NAME = {entry.name: entry for entry in FIELD}
