"""Sums in the table ``transient``: an item for each sum, and one for each call that has added to it."""

from decimal import ROUND_CEILING, Decimal

from pentad.aws.table import ConditionFailed, Table
from pentad.domain import keys
from pentad.domain.declarations.approval_rules import SUM_DIGITS
from pentad.tools.policy.ports import SumPlace

_UNIT = Decimal(10) ** SUM_DIGITS


class DynamoCallSums:
    """See `CallSums`.

    Args:
        table: the table ``transient``.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, place: SumPlace) -> Decimal:
        """See `CallSums`."""
        item = self._table.get(_pk(place), _sum_sk(place.name))
        return Decimal(0) if item is None else Decimal(int(item["units"])) / _UNIT

    def add(self, place: SumPlace, call_key: str, amount: Decimal, *, at_most: Decimal | None) -> bool:
        """See `CallSums`."""
        units = _to_units(amount)
        mark = {
            "pk": _pk(place),
            "sk": _mark_sk(place, call_key),
            "type": "call_sum_mark",
            "sum": place.name,
            "units": units,
            "ttl": place.expires_at,
        }
        condition, values = None, {":units": units, ":type": "call_sum", ":ttl": place.expires_at}
        if at_most is not None:
            room = _to_units(at_most) - units
            if room < 0:
                # Above the limit by itself: only a repeat of what a human has allowed is counted already.
                return self._table.get(_pk(place), _mark_sk(place, call_key)) is not None
            condition, values = "attribute_not_exists(units) OR units <= :room", values | {":room": room}
        try:
            self._table.transact(
                [
                    self._table.build_put(mark, condition="attribute_not_exists(pk)"),
                    self._table.build_update(
                        _pk(place),
                        _sum_sk(place.name),
                        "ADD units :units SET #type = :type, #ttl = :ttl",
                        condition=condition,
                        names={"#type": "type", "#ttl": "ttl"},
                        values=values,
                    ),
                ]
            )
        except ConditionFailed as failure:
            return failure.reasons[0] == "ConditionalCheckFailed"
        return True

    def give_back(self, place: SumPlace, call_key: str) -> None:
        """See `CallSums`."""
        mark = self._table.get(_pk(place), _mark_sk(place, call_key))
        if mark is None:
            return
        try:
            self._table.transact(
                [
                    self._table.build_delete(_pk(place), _mark_sk(place, call_key), condition="attribute_exists(pk)"),
                    self._table.build_update(
                        _pk(place),
                        _sum_sk(str(mark["sum"])),
                        "ADD units :units",
                        values={":units": -int(mark["units"])},
                    ),
                ]
            )
        except ConditionFailed:
            return  # another try was faster


def _to_units(amount: Decimal) -> int:
    return int((amount * _UNIT).to_integral_value(ROUND_CEILING))


def _pk(place: SumPlace) -> str:
    return keys.collection_pk(place.tenant_id, "CALLSUMS")


def _sum_sk(name: str) -> str:
    return f"{keys.SUM}{name}"


def _mark_sk(place: SumPlace, call_key: str) -> str:
    return f"{keys.SUM_CALL}{call_key}#{place.rule}"
