"""Tokens used, what they cost, and the caps on a run: pure values."""

from pydantic import Field

from pentad.domain.errors import LimitReached
from pentad.domain.money import show
from pentad.domain.values import FrozenValue


class Usage(FrozenValue):
    """Tokens of one or more model attempts, as the provider billed them. ``a + b`` adds them.

    ``input_tokens`` excludes cached reads and cache writes, so the four input counts never overlap;
    ``thinking_tokens`` is the part of ``output_tokens`` spent on thinking, shown and not billed again.
    """

    input_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    cache_read_tokens: int = Field(default=0, ge=0)
    cache_write_5m_tokens: int = Field(default=0, ge=0)
    cache_write_1h_tokens: int = Field(default=0, ge=0)
    thinking_tokens: int = Field(default=0, ge=0)

    def __add__(self, other: "Usage") -> "Usage":
        """Return the sum, count by count."""
        return Usage(**{name: getattr(self, name) + getattr(other, name) for name in Usage.model_fields})

    @property
    def total_tokens(self) -> int:
        """All tokens in and out."""
        return (
            self.input_tokens
            + self.output_tokens
            + self.cache_read_tokens
            + self.cache_write_5m_tokens
            + self.cache_write_1h_tokens
        )


class Spent(FrozenValue):
    """What a run has used so far. ``a + b`` adds."""

    steps: int = Field(default=0, ge=0)
    usage: Usage = Usage()
    cost_nanousd: int = Field(default=0, ge=0)

    def __add__(self, other: "Spent") -> "Spent":
        """Return the sum."""
        return Spent(
            steps=self.steps + other.steps,
            usage=self.usage + other.usage,
            cost_nanousd=self.cost_nanousd + other.cost_nanousd,
        )

    def compute_missing(self, used: "Spent") -> "Spent":
        """Return what is to be added so that nothing is below ``used``; steps are left as they are."""
        counts = {name: max(0, getattr(used.usage, name) - getattr(self.usage, name)) for name in Usage.model_fields}
        return Spent(usage=Usage(**counts), cost_nanousd=max(0, used.cost_nanousd - self.cost_nanousd))


class Limits(FrozenValue):
    """Caps on one run; each is checked before the next model turn and reported when reached."""

    steps: int = Field(default=20, ge=1, le=10_000, description="model turns")
    seconds: int = Field(default=900, ge=1, le=86_400, description="wall time, waiting for humans not counted")
    tokens: int = Field(default=500_000, ge=1, description="tokens in and out, all attempts")
    cost_nanousd: int = Field(default=2_000_000_000, ge=0, description="nano-dollars, all attempts")

    def check(self, spent: Spent, elapsed_seconds: float) -> None:
        """Return if another turn is allowed.

        Raises:
            LimitReached: a cap is used up; ``limit`` names it.
        """
        if spent.steps >= self.steps:
            raise LimitReached(f"the run has used its {self.steps} steps", limit="steps")
        if elapsed_seconds >= self.seconds:
            raise LimitReached(f"the run has used its {self.seconds} seconds", limit="seconds")
        if spent.usage.total_tokens >= self.tokens:
            raise LimitReached(f"the run has used its {self.tokens:,} tokens", limit="tokens")
        if spent.cost_nanousd >= self.cost_nanousd:
            raise LimitReached(f"the run has used its {show(self.cost_nanousd)}", limit="cost")


BYTES_PER_TOKEN = 4


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a model makes of ``text``: one for each four bytes of UTF-8, rounded up.

    Four characters of English a token is the rule of thumb that OpenAI and Anthropic both publish; counting bytes
    makes it hold roughly for other scripts too (Cyrillic 2, Chinese 1.3, emoji 1 characters a token). An estimate: the
    providers' reported usage is what is billed.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    return -(-size // BYTES_PER_TOKEN)
