"""Summaries in DynamoDB: in the partition of their session, by the message at which they end."""

from pentad.aws.readable import check_readable, from_stored
from pentad.aws.table import ConditionFailed, Table
from pentad.domain import keys
from pentad.memory.summaries.ports import KEPT, SessionSummary


class DynamoSummaries:
    """A `SummaryStore` over the state table.

    Args:
        state: the table.
    """

    def __init__(self, state: Table) -> None:
        self._state = state

    def list_all(self, tenant_id: str, session_id: str) -> list[SessionSummary]:
        """See `SummaryStore`."""
        found: list[SessionSummary] = []
        for item in self._state.iter_items(keys.session_pk(tenant_id, session_id), begins=keys.SUMMARY):
            with check_readable("a summary of the session"):
                found.append(from_stored(SessionSummary, item["body"]))
        return found

    def put(self, summary: SessionSummary) -> bool:
        """See `SummaryStore`."""
        pk = keys.session_pk(summary.tenant_id, summary.session_id)
        item = {
            "pk": pk,
            "sk": keys.summary_sk(summary.last_seq),
            "type": "summary",
            "ttl": int(summary.expires_at.timestamp()),
            "version": summary.version,
            "body": summary.model_dump_json(),
        }
        try:
            self._state.put(
                item,
                condition="attribute_not_exists(pk) OR #version < :version",
                names={"#version": "version"},
                values={":version": summary.version},
            )
        except ConditionFailed:
            return False
        for old in self.list_all(summary.tenant_id, summary.session_id)[:-KEPT]:
            self._state.delete(pk, keys.summary_sk(old.last_seq))
        return True

    def remove_all(self, tenant_id: str, session_id: str) -> None:
        """See `SummaryStore`."""
        pk = keys.session_pk(tenant_id, session_id)
        for item in list(self._state.iter_items(pk, begins=keys.SUMMARY)):
            self._state.delete(pk, item["sk"])
