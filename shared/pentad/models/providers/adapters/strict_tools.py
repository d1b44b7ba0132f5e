"""Strict mode, as far as a provider takes it: what it refuses in strict mode is sent without from then on.

What a provider takes is documented in part only: a grammar that is "too large" has no number. A refusal has done and
costs nothing. It is told as a failure that another attempt mends, and the gateway, which owns retries, makes that.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from pentad.domain.canonical import sha256_of
from pentad.domain.models import ChatRequest, Outcome
from pentad.models.catalog.catalog import ModelEntry
from pentad.models.providers.adapters.sdk import WireReply
from pentad.models.providers.exchange import ProviderFailure

_KEPT = 256


class StrictTools:
    """Sends requests with tools in strict mode, and remembers in this process which sets of tools were refused."""

    def __init__(self) -> None:
        self._refused: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = threading.Lock()

    def send(
        self,
        model: ModelEntry,
        request: ChatRequest,
        encode: Callable[[bool], dict[str, Any]],
        post: Callable[[dict[str, Any]], WireReply],
    ) -> WireReply:
        """Return the reply to a request.

        Args:
            model: who is asked.
            request: what is asked.
            encode: makes the body, with strict mode or without.
            post: sends a body.

        Raises:
            ProviderFailure: there is no usable reply; where strict mode was refused, one that asks for another attempt.
        """
        body = encode(not self._refused or _name_tools(model, request) not in self._refused)
        try:
            return post(body)
        except ProviderFailure as failure:
            if not failure.refuses_schema or not any(tool.get("strict") for tool in body.get("tools", ())):
                raise
            again = ProviderFailure(
                Outcome.OVERLOAD,
                f"{failure.error} (strict mode)",
                status=failure.status,
                request_id=failure.request_id,
                should_retry=True,
            )
        with self._lock:
            self._refused[_name_tools(model, request)] = None
            while len(self._refused) > _KEPT:
                self._refused.popitem(last=False)
        raise again


def _name_tools(model: ModelEntry, request: ChatRequest) -> tuple[str, str]:
    return model.name, sha256_of([tool.model_dump(mode="json") for tool in request.tools])
