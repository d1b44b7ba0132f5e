"""The effect ledger in the state table: under its run, ``EFFECT#{effect_key}``."""

from pentad.aws.readable import from_stored
from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.errors import InvalidTransition
from pentad.domain.runs import RunStatus
from pentad.tools.runtime.ports import Effect

_RELEASED = "released"
_STATUS = {"#status": "status"}


class DynamoEffects:
    """Effects in DynamoDB; every write is conditional, so the first one stands.

    A released effect keeps its item, marked so: tools' roles may put, and may not delete from the state table.

    Args:
        state: the table ``state``.
    """

    def __init__(self, state: Table) -> None:
        self._state = state

    def begin(self, effect: Effect, *, in_open_run: bool = False) -> Effect | None:
        """See `EffectStore`."""
        condition = "attribute_not_exists(pk) OR #status = :status"
        try:
            if not in_open_run:
                self._put(effect, condition, _RELEASED)
                return None
            item, expression = self._make_item(effect, None), {"names": _STATUS, "values": {":status": _RELEASED}}
            self._state.transact(
                [self._state.build_put(item, condition=condition, **expression), self._build_open_check(effect)]
            )
        except ConditionFailed as failure:
            if failure.reasons and failure.reasons[0] != "ConditionalCheckFailed":
                raise InvalidTransition("the run has ended: no further call runs in it", field="run") from failure
            return self.find(effect.tenant_id, effect.run_id, effect.effect_key)
        return None

    def find(self, tenant_id: str, run_id: str, key: str) -> Effect | None:
        """See `EffectStore`."""
        item = self._state.get(keys.run_pk(tenant_id, run_id), keys.effect_sk(key))
        if item is None or item["status"] == _RELEASED:
            return None
        return from_stored(Effect, item["body"])

    def finish(self, effect: Effect) -> None:
        """See `EffectStore`."""
        try:
            self._put(effect, "attribute_not_exists(pk) OR #status <> :status", "done")
        except ConditionFailed:
            return  # done already: the first outcome stands

    def release(self, effect: Effect) -> None:
        """See `EffectStore`."""
        try:
            self._put(effect, "#status = :status", "begun", status=_RELEASED)
        except ConditionFailed:
            return  # done, or never begun

    def _put(self, effect: Effect, condition: str, value: str, *, status: str | None = None) -> None:
        item = self._make_item(effect, status)
        self._state.put(item, condition=condition, names=_STATUS, values={":status": value})

    def _build_open_check(self, effect: Effect) -> Item:
        """Return the entry that lets a transaction fail where the effect's run has ended."""
        ends = {f":e{place}": status.value for place, status in enumerate(RunStatus) if status.ended}
        return self._state.build_check(
            keys.run_pk(effect.tenant_id, effect.run_id),
            keys.META,
            condition=f"attribute_not_exists(pk) OR NOT #status IN ({', '.join(ends)})",
            names=_STATUS,
            values=ends,
        )

    @staticmethod
    def _make_item(effect: Effect, status: str | None) -> Item:
        return {
            "pk": keys.run_pk(effect.tenant_id, effect.run_id),
            "sk": keys.effect_sk(effect.effect_key),
            "type": "effect",
            "status": status or effect.status,
            "body": effect.model_dump_json(exclude_none=True),
        }
