"""Corrections in DynamoDB: one item each in the user's partition."""

from typing import Any

from pentad.aws.readable import from_stored
from pentad.aws.table import ConditionFailed, Table
from pentad.domain import keys
from pentad.observability.feedback.ports import GivenCorrection


class DynamoCorrections:
    """A `CorrectionStore` over the state table.

    Args:
        state: the table.
    """

    def __init__(self, state: Table) -> None:
        self._state = state

    def find(self, tenant_id: str, user_id: str, feedback_id: str) -> GivenCorrection | None:
        """See `CorrectionStore`."""
        item = self._state.get(keys.user_pk(tenant_id, user_id), keys.correction_sk(feedback_id))
        return None if item is None else from_stored(GivenCorrection, item["body"])

    def remove(self, correction: GivenCorrection) -> None:
        """See `CorrectionStore`."""
        condition: dict[str, Any] = {"names": {"#version": "version"}, "values": {":version": correction.version}}
        pk, sk = keys.user_pk(correction.tenant_id, correction.user_id), keys.correction_sk(correction.feedback_id)
        try:
            self._state.delete(pk, sk, condition="attribute_not_exists(pk) OR #version = :version", **condition)
        except ConditionFailed:
            return  # A newer one waits, and its own message is on the way.
