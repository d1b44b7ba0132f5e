"""What passes between the gateway and a provider's adapter: a reply, or one failure."""

from dataclasses import dataclass
from pathlib import PurePath

from pentad.domain.messages import ContentBlock, ProviderRaw, TextBlock, ToolCallBlock
from pentad.domain.models import Outcome, StopReason
from pentad.domain.usage import Usage
from pentad.models.providers.outcomes import Reason, Scope

UNREPORTED = "usage was not reported: estimated"
SIMULATED = "A local simulator answered by plain rules, and no language model."
"""What whoever asked is told of a reply that no model made."""


def describe_fault(error: BaseException) -> str:
    """Return what and where an unexpected exception was: its class, file and line, and never its text."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    where = f" at {PurePath(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}" if at is not None else ""
    return f"{type(error).__name__}{where}"


@dataclass(frozen=True)
class ProviderReply:
    """A reply that arrived whole.

    Args:
        blocks: its content; a tool call whose arguments could not be read is not among them.
        stop: why the model stopped.
        usage: as the provider counted it; None where it did not say.
        raw: its content as it came, for the way back.
        request_id: the provider's id of the request.
        problems: sentences for the model about what could not be read.
        estimated: why the usage is our estimate; "" where the provider counted.
        simulated: rules made it, and no model.
        first_byte_ms: from the request to the reply's first byte; replies are not streamed, so most of it is written
            before.
    """

    blocks: tuple[ContentBlock, ...]
    stop: StopReason
    usage: Usage | None
    raw: ProviderRaw | None = None
    request_id: str | None = None
    problems: tuple[str, ...] = ()
    estimated: str = ""
    simulated: bool = False
    first_byte_ms: int | None = None

    @property
    def text(self) -> str:
        """The words of all text blocks, joined by blank lines."""
        return "\n\n".join(block.text for block in self.blocks if isinstance(block, TextBlock))

    @property
    def tool_calls(self) -> tuple[ToolCallBlock, ...]:
        """The tool calls, in order."""
        return tuple(block for block in self.blocks if isinstance(block, ToolCallBlock))


@dataclass(frozen=True)
class ProviderVectors:
    """Vectors as a provider sent them, in the order of the texts."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage | None
    request_id: str | None = None
    estimated: str = ""
    simulated: bool = False
    first_byte_ms: int | None = None

    @property
    def stop(self) -> None:
        """Vectors are whole, or they are none."""
        return None


class ProviderFailure(Exception):
    """An attempt that gave no usable reply. Its text is class, status and code: never content, never a key.

    Args:
        outcome: what became of it.
        error: class, status and code, for the ledger.
        status: the HTTP status, if there was one.
        retry_after: seconds the provider asked to wait, if it did.
        request_id: the provider's id of the request.
        usage: tokens that were billed all the same.
        scope: what the outcome says something about: this model or all of the provider.
        problems: sentences for the model about what was wrong with its reply.
        sent: a request went out; false where there was no credential to send one with.
        should_retry: whether the provider asks for the same request again (``x-should-retry``); None where it does not
            say.
        worked: the provider may have begun to answer, and bills what it has written; where it did not say how much,
            that is estimated.

    ``estimated`` says why the usage is our estimate; it is "" where the provider counted.
    """

    estimated: str = ""

    def __init__(
        self,
        outcome: Outcome,
        error: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        request_id: str | None = None,
        usage: Usage | None = None,
        scope: Scope = "model",
        problems: tuple[str, ...] = (),
        sent: bool = True,
        should_retry: bool | None = None,
        worked: bool = False,
    ) -> None:
        super().__init__(error)
        self.outcome = outcome
        self.error = error
        self.status = status
        self.retry_after = retry_after
        self.request_id = request_id
        self.usage = usage
        self.scope: Scope = scope
        self.problems = problems
        self.sent = sent
        self.should_retry = should_retry
        self.refuses_schema = False
        """The provider says that a tool's schema is what it can't take."""
        self.refuses_citations = False
        """The provider says that search results, or citations of them, are what it can't take."""
        self.reason: Reason | None = None
        """Why the provider says that the request is wrong, where it says so."""
        self.final = False
        """No other link is asked: set by whoever has tried enough."""
        self.worked = worked


@dataclass(frozen=True)
class ProviderCredentials:
    """What opens a provider's API. The key is in no text form of it."""

    api_key: str
    base_url: str | None = None

    def __repr__(self) -> str:
        """Return the form for readers, without the key."""
        return f"Credentials(api_key=..., base_url={self.base_url!r})"
