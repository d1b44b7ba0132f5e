"""The effect ledger in the state table: under its run, ``EFFECT#{effect_key}``."""

from pentad.aws.table import ConditionFailed, Table
from pentad.domain import keys
from pentad.tools.ports import Effect

_RELEASED = "released"


class DynamoEffects:
    """Effects in DynamoDB; every write is conditional, so the first one stands.

    A released effect keeps its item, marked so: tools' roles may put, and may not delete from the state table.

    Args:
        state: the table ``state``.
    """

    def __init__(self, state: Table) -> None:
        self._state = state

    def begin(self, effect: Effect) -> Effect | None:
        """See `EffectStore`."""
        try:
            self._put(effect, "attribute_not_exists(pk) OR #status = :status", _RELEASED)
        except ConditionFailed as failure:
            item = failure.item or self._state.get(*self._key(effect))
            return Effect.model_validate_json(item["body"]) if item else None
        return None

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
        pk, sk = self._key(effect)
        self._state.put(
            {
                "pk": pk,
                "sk": sk,
                "type": "effect",
                "status": status or effect.status,
                "body": effect.model_dump_json(exclude_none=True),
            },
            condition=condition,
            names={"#status": "status"},
            values={":status": value},
        )

    @staticmethod
    def _key(effect: Effect) -> tuple[str, str]:
        return keys.run_pk(effect.tenant, effect.run), keys.effect_sk(effect.effect_key)
