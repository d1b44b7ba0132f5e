"""Remove a session: its head at once and only while no run holds it, then its messages.

Without its head a session is there for nobody. What a crash leaves of the messages is read by no one, is overwritten by
a session that is begun under the same id, and goes with its time to live.
"""

from typing import Any

from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.errors import NotFound, SessionBusy
from pentad.memory.objects.ports import ObjectStore

_HEAD, _LEASE = 0, 1
"""Places in the transaction."""
_MARK_SECONDS = 30 * 24 * 3600
_SPILLED = ("spill", "passages_spill")


class SessionRemoval:
    """Removes sessions from the state table.

    Args:
        state: the table of sessions and runs.
        transient: the table of leases.
        objects: the payload bucket, for messages too large for an item.
    """

    def __init__(self, state: Table, transient: Table, objects: ObjectStore) -> None:
        self._state, self._transient, self._objects = state, transient, objects

    def __call__(self, tenant_id: str, session_id: str, *, now: float) -> None:
        """Remove a session; see `RunStore.remove_session`."""
        pk = keys.session_pk(tenant_id, session_id)
        head = self._state.get(pk, keys.META) or {}
        try:
            self._state.transact(
                [
                    self._state.build_delete(pk, keys.META, condition="attribute_exists(pk)"),
                    self._transient.build_delete(
                        pk,
                        keys.LEASE,
                        # A lease that has expired is of a run that lost its session.
                        condition="attribute_not_exists(#queue) AND (attribute_not_exists(#run) OR expires_at <= :now)",
                        names={"#run": "run", "#queue": "queue"},
                        values={":now": int(now)},
                    ),
                    self._build_mark(pk, head.get("user"), int(now)),
                ]
            )
        except ConditionFailed as failure:
            if failure.reasons[_HEAD] == "ConditionalCheckFailed":
                self._remove_messages(pk)  # of a removal that was cut
                raise make_missing_error() from failure
            raise make_held_error() from failure
        self._remove_messages(pk)

    def _build_mark(self, pk: str, user_id: str | None, now: int) -> Item:
        """Return the note that there was a session, and whose: what was said in it stands with its user's.

        Whoever has deleted that too removes it (`pentad.memory.remember.ports.Progress`): the API, or the worker that
        was making memories of the session.
        """
        update = "SET #type = :type, deleted_at = :now, #ttl = :ttl"
        values: dict[str, Any] = {":type": "remembered", ":now": now, ":ttl": now + _MARK_SECONDS}
        if user_id is not None:
            update, values[":user"] = f"{update}, deleted_user = :user", user_id
        names = {"#type": "type", "#ttl": "ttl"}
        return self._state.build_update(pk, keys.REMEMBERED, update, names=names, values=values)

    def _remove_messages(self, pk: str) -> None:
        for item in self._state.iter_items(pk, begins=keys.MESSAGE):
            if self._state.get(pk, keys.META) is not None:
                return  # Somebody has begun a session under the same id, whose messages these may be.
            self._remove_message(pk, item)
        for kind in (keys.SUMMARY, keys.SAID):  # what was made of the messages
            for item in self._state.iter_items(pk, begins=kind):
                if self._state.get(pk, keys.META) is None:
                    self._state.delete(pk, str(item["sk"]))

    def _remove_message(self, pk: str, item: Item) -> None:
        """Remove a message and empty what was spilled of it."""
        for name in _SPILLED:
            if name in item:
                self._objects.put(str(item[name]), b"")
        try:
            self._state.delete(
                pk,
                str(item["sk"]),
                condition="message_id = :id",  # not the message that has taken its place
                values={":id": item["message_id"]},
            )
        except ConditionFailed:
            return


def make_missing_error() -> NotFound:
    """Return that there is no such session."""
    return NotFound("no such session", field="session")


def make_held_error() -> SessionBusy:
    """Return that a run holds the session, or waits for it."""
    return SessionBusy(
        "a run holds the session or waits for it",
        field="session",
        fix="wait until its runs have ended, or cancel them, then delete it",
        retry_after=5,
    )
