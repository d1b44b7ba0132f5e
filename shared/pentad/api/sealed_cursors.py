"""Cursors of callers who may not see all of a list.

A cursor is the key at which a query ended, which may be of something that the caller may not see. So a caller of one
user gets it encrypted, for this caller and this list, and can neither read it nor make one.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from pentad.api.identity.caller import Caller
from pentad.api.ports import CursorCipher
from pentad.domain.errors import NotFound
from pentad.domain.reading.json_text import read_json

_LONGEST: Final = 8_000  # characters of a sealed cursor
_MARK: Final = '"cursor"'


class SealedCursors:
    """Opens cursors on their way in and seals them on their way out, whatever the route.

    Args:
        cipher: encrypts.
    """

    def __init__(self, cipher: CursorCipher) -> None:
        self._cipher = cipher

    def open_event(self, event: dict[str, Any], caller: Caller, route: str) -> dict[str, Any]:
        """Return an event of API Gateway with the cursor that its route knows.

        Raises:
            NotFound: the cursor was not given to this caller for this list.
            StoreUnavailable: the key service did not answer.
        """
        asked = event.get("queryStringParameters") or {}
        sealed = asked.get("cursor")
        if caller.reach is None or sealed is None:
            return event
        opened = None
        if len(sealed) <= _LONGEST:
            opened = self._cipher.open(sealed, tenant_id=caller.tenant_id, user_id=caller.reach, route=route)
        if opened is None:
            raise NotFound(
                "the list has no page of this cursor", field="cursor", fix="send a cursor exactly as you received it"
            )
        return {**event, "queryStringParameters": {**asked, "cursor": opened}}

    def seal_answer(self, answer: dict[str, Any], caller: Caller, route: str) -> dict[str, Any]:
        """Return an answer with its cursor sealed, where it has one.

        Raises:
            StoreUnavailable: the key service did not answer.
        """
        if caller.reach is None or _MARK not in str(answer.get("body")):
            return answer
        try:
            body = read_json(answer["body"])
        except ValueError:
            return answer  # a page, which has no cursor
        cursor = body.get("cursor") if isinstance(body, Mapping) else None
        if not isinstance(cursor, str):
            return answer
        sealed = self._cipher.seal(cursor, tenant_id=caller.tenant_id, user_id=caller.reach, route=route)
        text = json.dumps({**body, "cursor": sealed}, separators=(",", ":"), ensure_ascii=False)
        return {**answer, "body": text}
