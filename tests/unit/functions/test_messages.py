"""Messages of queues that nothing can be read from: an error of the sender's, so that they go to the DLQ at once."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from functions.memory.erase import erase_record
from functions.memory.ingest import ingest_record
from functions.memory.remember import remember_record
from functions.observability.contents import write_record
from functions.orchestration.notify import send_notice
from pentad.domain.errors import InvalidInput
from pentad.observability.alerts.alert import read_alert
from pentad.runtime.entrypoint import LambdaContext
from tests.unit.functions.events import Context, sqs

_BODIES = {
    "no JSON": "{",
    "a list": "[]",
    "nested 100,000 deep": "[" * 100_000 + "]" * 100_000,
    "objects nested 5,000 deep": '{"detail":' * 5_000 + "1" + "}" * 5_000,
    "an integer of 5,000 digits": f'{{"detail": {"1" * 5_000}}}',
    "a number beyond floats": '{"detail": 1e999}',
    "half a surrogate pair": '{"detail": "\\ud83d", "detail-type": "\\ud83d"}',
}
_READERS: dict[str, Callable[[SQSRecord, LambdaContext], Any]] = {
    "alert": lambda record, context: read_alert(record.body),
    "contents": write_record,
    "erase": erase_record,
    "ingest": ingest_record,
    "notify": send_notice,
    "remember": remember_record,
}


@pytest.mark.parametrize("kind", _BODIES)
@pytest.mark.parametrize("name", _READERS)
def test_a_message_that_cannot_be_read_is_invalid_input(name: str, kind: str) -> None:
    with pytest.raises(InvalidInput):
        _READERS[name](SQSRecord(sqs(_BODIES[kind])["Records"][0]), Context())
