"""What the door's routes do: read, ask the gateway, write; every fault in OpenAI's shape."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from pentad.api.door import chat, completions, embeddings, faults, targets
from pentad.api.door.completions import Json
from pentad.api.door.faults import Answer, DoorFault
from pentad.api.door.reading import parse_object
from pentad.api.identity.caller import Caller
from pentad.domain.errors import ModelUnavailable, PentadError, Refused
from pentad.domain.ids import check_id
from pentad.domain.models import CallContext, Outcome
from pentad.models.catalog.catalog import ModelCatalog
from pentad.models.ports import ChatModel, Embedder

R = TypeVar("R")
PURPOSE = "door"
_LATE_SECONDS = 1.5
"""An outage this near to the deadline is the deadline's: the gateway sends nothing with less than a second left."""


class Door:
    """Answers OpenAI's requests through the gateway.

    Args:
        model: the gateway's chat models.
        embedder: the gateway's embeddings.
        catalog: models, tiers, tasks.
        now: the clock.
    """

    def __init__(
        self, model: ChatModel, embedder: Embedder, catalog: ModelCatalog, *, now: Callable[[], datetime]
    ) -> None:
        self._model = model
        self._embedder = embedder
        self._catalog = catalog
        self._now = now

    def complete_chat(
        self, caller: Caller, body: str | None, *, request_id: str, deadline: float, strict: bool = False
    ) -> Answer:
        """Answer ``POST /v1/chat/completions``.

        Args:
            caller: who asks.
            body: of the request.
            request_id: names the request in the log.
            deadline: the time by which an answer is of use.
            strict: a field that is not known is an error.
        """
        return self._handle_faults(lambda: self._complete_chat(caller, body, request_id, deadline, strict), request_id)

    def embed(
        self, caller: Caller, body: str | None, *, request_id: str, deadline: float, strict: bool = False
    ) -> Answer:
        """Answer ``POST /v1/embeddings``; see `complete_chat`."""
        return self._handle_faults(lambda: self._embed(caller, body, deadline, strict), request_id)

    def list_models(self, *, request_id: str) -> Answer:
        """Answer ``GET /v1/models``."""
        return self._handle_faults(lambda: _to_answer(targets.list_models(self._catalog)), request_id)

    def get_model(self, name: str, *, request_id: str) -> Answer:
        """Answer ``GET /v1/models/{id}``."""
        return self._handle_faults(lambda: _to_answer(targets.get_model(self._catalog, name)), request_id)

    def _complete_chat(
        self, caller: Caller, body: str | None, request_id: str, deadline: float, strict: bool
    ) -> Answer:
        fields = parse_object(body)
        targets.check_known(self._catalog, fields.get("model"))
        context = _build_context(caller, fields)
        asked = chat.parse_request(fields, context, self._catalog, self._now(), strict=strict)
        try:
            reply = self._call_model(lambda: self._model.complete(asked.request, deadline=deadline), deadline)
        except Refused:
            return completions.build_refusal(asked, created=int(self._now().timestamp()), unique=request_id)
        except ModelUnavailable as error:
            if not error.attempts:  # no model was asked, so that asking again costs nothing
                raise
            raise (faults.build_timeout() if _has_timed_out(error) else faults.build_unavailable()) from error
        return completions.build_answer(asked, reply)

    def _embed(self, caller: Caller, body: str | None, deadline: float, strict: bool) -> Answer:
        fields = parse_object(body)
        targets.check_known(self._catalog, fields.get("model"))
        asked, ignored = embeddings.parse_request(fields, self._catalog, strict=strict)
        context = _build_context(caller, fields)
        texts, dimensions = asked.texts, asked.dimensions
        reply = self._call_model(
            lambda: self._embedder.embed(texts, context, deadline=deadline, dimensions=dimensions), deadline
        )
        return embeddings.build_answer(asked, reply, ignored)

    def _call_model(self, ask: Callable[[], R], deadline: float) -> R:
        try:
            return ask()
        except ModelUnavailable as error:
            if self._is_late(deadline):
                raise faults.build_timeout() from error
            raise

    def _handle_faults(self, ask: Callable[[], Answer], request_id: str) -> Answer:
        try:
            found = ask()
        except DoorFault as fault:
            found = fault.to_answer()
        except PentadError as error:
            found = faults.from_error(error, self._now())
        return replace(found, headers={**found.headers, "x-request-id": request_id})

    def _is_late(self, deadline: float) -> bool:
        return self._now().timestamp() >= deadline - _LATE_SECONDS


def _build_context(caller: Caller, fields: Mapping[str, Any]) -> CallContext:
    """Return on whose behalf a request is: the key's tenant always, and the user that it names."""
    given = fields.get("user")
    if given is not None and not isinstance(given, str):
        raise DoorFault("user: must be a string", param="user")
    user_id = caller.resolve_user(check_id("user", given) if given else None)
    return CallContext(tenant_id=caller.tenant_id, user_id=user_id, purpose=PURPOSE)


def _has_timed_out(error: ModelUnavailable) -> bool:
    return all(one.outcome is Outcome.TIMEOUT for one in error.attempts)


def _to_answer(document: Json) -> Answer:
    return Answer(completions.dump_json(document))
