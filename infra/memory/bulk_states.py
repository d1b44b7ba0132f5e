"""The states of a bulk ingestion."""

from typing import Any

from infra.orchestration.tasks import State, invoke, retry_throttled
from pentad.domain.knowledge import BULK_DOCUMENTS
from pentad.memory.documents.ingest import INGEST_SECONDS

_RETRIES = 4
_LAST = 2
"""Retries after which an attempt writes into the entry that there may be no other, as the queue's third delivery."""


def build_definition(function_arn: str, bucket: str, concurrency: int) -> State:
    """Return the definition.

    Args:
        function_arn: of the version that indexes a document.
        bucket: the documents bucket.
        concurrency: documents of one ingestion at once.
    """
    item: dict[str, Any] = {
        "bucket": {"name": bucket},
        "object": {
            "key": "{% $states.context.Map.Item.Value.Key %}",
            "etag": "{% $states.context.Map.Item.Value.Etag %}",
        },
    }
    return {
        "Comment": "Index many documents of one tenant",
        "QueryLanguage": "JSONata",
        "StartAt": "Documents",
        "States": {
            "Documents": {
                "Type": "Map",
                "Label": "documents",
                "ItemReader": {
                    "Resource": "arn:aws:states:::s3:listObjectsV2",
                    "Arguments": {"Bucket": bucket, "Prefix": "{% $states.input.prefix %}"},
                    "ReaderConfig": {"MaxItems": BULK_DOCUMENTS},
                },
                "ItemSelector": item,
                "MaxConcurrency": concurrency,
                # What becomes of a document stands on its entry, and stops no other.
                "ToleratedFailurePercentage": 100,
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                    "StartAt": "Document",
                    "States": {"Document": _build_task(function_arn)},
                },
                "Output": {},
                "End": True,
            }
        },
    }


def _build_task(function_arn: str) -> State:
    payload = f"$merge([$states.input, {{'last': $states.context.State.RetryCount >= {_LAST}}}])"
    task = invoke(function_arn, payload, seconds=INGEST_SECONDS + 10, attempts=_RETRIES, asks_models=True)
    # Another writer may hold the document for as long as it works on it.
    retries = [retry_throttled("StoreUnavailable"), *task["Retry"]]
    # A digit: the results of 100,000 documents are within 256 KiB then.
    return {**task, "Output": 0, "Retry": retries, "End": True}
