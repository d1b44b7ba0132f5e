"""What the door's routes do: read, ask the gateway, write; every fault in OpenAI's shape."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from pentad.api.door import chat, completions, embeddings, faults, targets
from pentad.api.door.completions import Json
from pentad.api.door.faults import Answer, Fault
from pentad.api.door.reading import json_object
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

    def chat(self, caller: Caller, body: str | None, *, request_id: str, deadline: float) -> Answer:
        """Answer ``POST /v1/chat/completions``; ``deadline`` is the time by which an answer is of use."""
        return self._told(lambda: self._chat(caller, body, request_id, deadline), request_id)

    def embed(self, caller: Caller, body: str | None, *, request_id: str, deadline: float) -> Answer:
        """Answer ``POST /v1/embeddings``."""
        return self._told(lambda: self._embed(caller, body, deadline), request_id)

    def models(self, *, request_id: str) -> Answer:
        """Answer ``GET /v1/models``."""
        return self._told(lambda: _plain(targets.listing(self._catalog)), request_id)

    def model(self, name: str, *, request_id: str) -> Answer:
        """Answer ``GET /v1/models/{id}``."""
        return self._told(lambda: _plain(targets.one(self._catalog, name)), request_id)

    def _chat(self, caller: Caller, body: str | None, request_id: str, deadline: float) -> Answer:
        fields = json_object(body)
        asked = chat.asked(fields, _context(caller, fields), self._catalog, self._now())
        try:
            reply = self._in_time(lambda: self._model.complete(asked.request, deadline=deadline), deadline)
        except Refused:
            return completions.declined(asked, created=int(self._now().timestamp()), unique=request_id)
        except ModelUnavailable as error:
            if not error.attempts:  # no model was asked, so that asking again costs nothing
                raise
            raise (faults.timeout() if _timed_out(error) else faults.all_down()) from error
        return completions.answer(asked, reply)

    def _embed(self, caller: Caller, body: str | None, deadline: float) -> Answer:
        fields = json_object(body)
        asked = embeddings.asked(fields, self._catalog)
        context = _context(caller, fields)
        texts = asked.texts
        reply = self._in_time(lambda: self._embedder.embed(texts, context, deadline=deadline), deadline)
        return embeddings.answer(asked, reply)

    def _in_time(self, ask: Callable[[], R], deadline: float) -> R:
        try:
            return ask()
        except ModelUnavailable as error:
            if self._late(deadline):
                raise faults.timeout() from error
            raise

    def _told(self, ask: Callable[[], Answer], request_id: str) -> Answer:
        try:
            found = ask()
        except Fault as fault:
            found = fault.answer()
        except PentadError as error:
            found = faults.of_error(error, self._now())
        return replace(found, headers={**found.headers, "x-request-id": request_id})

    def _late(self, deadline: float) -> bool:
        return self._now().timestamp() >= deadline - _LATE_SECONDS


def _context(caller: Caller, fields: Mapping[str, Any]) -> CallContext:
    """Return on whose behalf a request is: the key's tenant always, and the user that it names."""
    given = fields.get("user")
    if given is not None and not isinstance(given, str):
        raise Fault("user: must be a string", param="user")
    user = caller.acts_for(check_id("user", given) if given else None)
    return CallContext(tenant=caller.tenant, user=user, purpose=PURPOSE)


def _timed_out(error: ModelUnavailable) -> bool:
    return all(one.outcome is Outcome.TIMEOUT for one in error.attempts)


def _plain(document: Json) -> Answer:
    return Answer(completions.dump(document))
