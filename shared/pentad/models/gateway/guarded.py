"""Around each provider's adapter: whatever it does, what comes out is a reply or a failure, with usage that can be.

* An exception that nobody expected, of ours or of an SDK, becomes a failure: the next link may answer.
* A count that no request can have (negative, beyond the model's window) is no usage: it is estimated, and told.
* A request that timed out or was cut off, which a provider bills, gets an estimate of what was written by then.

It stands inside what holds budgets and writes the ledger, so both count the same.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pentad.domain.errors import PentadError
from pentad.domain.models import ChatRequest, Outcome
from pentad.domain.usage import Usage
from pentad.models.catalog.catalog import Effort, ModelEntry
from pentad.models.gateway.embeddings import estimate_usage as estimate_embedding
from pentad.models.gateway.pursuit import estimate_usage
from pentad.models.gateway.tokens import estimate_request
from pentad.models.providers.exchange import (
    UNREPORTED,
    ProviderFailure,
    ProviderReply,
    ProviderVectors,
    describe_fault,
)
from pentad.models.providers.ports import ProviderChat, ProviderEmbed
from pentad.models.providers.speeds import Speeds
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

CUT_OFF = "cut off: the usage is estimated"
_SLACK = 2
"""A window of the catalog may be an operator's, below the model's own."""


class Guard:
    """What the guards of all providers share.

    Args:
        telemetry: metrics and logs.
        speeds: how fast models write.
        clock: ``time.time``.
    """

    def __init__(
        self, telemetry: Telemetry, speeds: Speeds | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.telemetry = telemetry
        self.speeds = speeds or Speeds()
        self.clock = clock

    def report_absurd(self, model: ModelEntry, why: str) -> None:
        """Tell of usage that no request can have; an alarm stands on the metric."""
        self.telemetry.log_event("usage.absurd", level="ERROR", provider=model.provider, model=model.name, error=why)
        self.telemetry.count(names.USAGE_ABSURD)


class GuardedProvider:
    """A `pentad.models.providers.ports.ProviderChat` around an adapter.

    Args:
        provider: the adapter.
        guard: see `Guard`.
    """

    def __init__(self, provider: ProviderChat, guard: Guard) -> None:
        self._provider = provider
        self._guard = guard

    def send(
        self,
        model: ModelEntry,
        request: ChatRequest,
        *,
        max_output_tokens: int,
        timeout: float,
        effort: Effort | None = None,
    ) -> ProviderReply:
        """Return the reply, with usage in any case; see the port."""
        began, reply = self._guard.clock(), None
        try:
            reply = self._provider.send(
                model, request, max_output_tokens=max_output_tokens, timeout=timeout, effort=effort
            )
            return self._with_usage(model, request, reply)
        except ProviderFailure as failure:
            self._estimate(model, request, failure, self._guard.clock() - began, max_output_tokens)
            raise
        except PentadError:  # of a store: nothing was sent
            raise
        except Exception as error:  # a boundary: an adapter or an SDK may raise anything, and the next link may answer
            # What is raised once the request is out comes from `exchange` as a failure that says so. All else is of
            # a request that was not sent, but for what we stumble over in a reply that is here.
            fault = ProviderFailure(Outcome.FAULT, describe_fault(error), worked=reply is not None)
            self._estimate(model, request, fault, self._guard.clock() - began, max_output_tokens)
            raise fault from error

    def _estimate(
        self, model: ModelEntry, request: ChatRequest, failure: ProviderFailure, seconds: float, most: int
    ) -> None:
        """Give a failure that may be billed its usage, where the provider did not say any that can be."""
        absurd = find_absurd(model, failure.usage)
        if absurd:
            self._guard.report_absurd(model, absurd)
            failure.usage, failure.worked = None, True
        if failure.worked and failure.usage is None:
            written = self._guard.speeds.estimate_written(model, seconds, most)
            read = estimate_request(request, factor=model.token_factor)
            failure.usage = Usage(input_tokens=read, output_tokens=written)
            failure.estimated = absurd or CUT_OFF

    def _with_usage(self, model: ModelEntry, request: ChatRequest, reply: ProviderReply) -> ProviderReply:
        said_nothing = reply.usage is not None and bool(reply.blocks) and not _is_whole(reply.usage)
        absurd = reply.estimated or find_absurd(model, reply.usage)
        if absurd:
            self._guard.report_absurd(model, absurd)
        if reply.usage is not None and not absurd and not said_nothing:
            return reply
        return replace(reply, usage=estimate_usage(model, request, reply), estimated=absurd or UNREPORTED)


class GuardedEmbed:
    """A `pentad.models.providers.ports.ProviderEmbed` around an adapter.

    Args:
        provider: the adapter.
        guard: see `Guard`.
    """

    def __init__(self, provider: ProviderEmbed, guard: Guard) -> None:
        self._provider = provider
        self._guard = guard

    def send(self, model: ModelEntry, texts: Sequence[str], *, dimensions: int, timeout: float) -> ProviderVectors:
        """Return the vectors, with usage in any case; see the port."""
        try:
            reply = self._provider.send(model, texts, dimensions=dimensions, timeout=timeout)
        except ProviderFailure as failure:
            if failure.worked and failure.usage is None:
                failure.usage, failure.estimated = estimate_embedding(texts, model.token_factor), CUT_OFF
            raise
        except PentadError:  # of a store: nothing was sent
            raise
        except Exception as error:  # the same boundary
            raise ProviderFailure(Outcome.FAULT, describe_fault(error)) from error
        # A batch has many texts, each within the window.
        absurd = reply.estimated or find_absurd(model, reply.usage, texts=len(texts))
        if absurd:
            self._guard.report_absurd(model, absurd)
        if reply.usage is not None and not absurd and reply.usage.total_tokens:
            return reply
        return replace(reply, usage=estimate_embedding(texts, model.token_factor), estimated=absurd or UNREPORTED)


def guard_chat(providers: Mapping[str, ProviderChat], guard: Guard) -> dict[str, ProviderChat]:
    """Return the adapters with a guard around each."""
    return {name: GuardedProvider(provider, guard) for name, provider in providers.items()}


def guard_embed(providers: Mapping[str, ProviderEmbed], guard: Guard) -> dict[str, ProviderEmbed]:
    """Return the adapters with a guard around each."""
    return {name: GuardedEmbed(provider, guard) for name, provider in providers.items()}


def _is_whole(usage: Usage) -> bool:
    """Tell if usage has both what was read and what was written: a reply costs both."""
    return 0 < usage.output_tokens < usage.total_tokens


def find_absurd(model: ModelEntry, usage: Usage | None, *, texts: int = 1) -> str:
    """Return why usage can't be that of a request to the model; "" where it can.

    Args:
        model: which model.
        usage: as the provider said.
        texts: how many texts, each within the window, the request had.
    """
    if usage is None:
        return ""
    read = usage.total_tokens - usage.output_tokens
    if read > _SLACK * model.context_tokens * texts:
        return f"the reported usage is absurd: {read} tokens in, and the window has {model.context_tokens}"
    if usage.output_tokens > _SLACK * max(model.output_tokens, model.context_tokens):
        return f"the reported usage is absurd: {usage.output_tokens} tokens out of a model that can't write so many"
    return ""
