"""The states of a bulk ingestion."""

from infra.orchestration.tasks import MODELS_THROTTLED, State, invoke, retry_throttled
from pentad.domain.knowledge import BULK_DOCUMENTS
from pentad.memory.documents.batch import BATCH_DOCUMENTS
from pentad.memory.documents.ingest import INGEST_SECONDS

_RETRIES = 4
_LAST = 2
"""Retries after which an attempt writes into the entry that there may be no other, as the queue's third delivery."""


def build_definition(function_arn: str, bucket: str, concurrency: int) -> State:
    """Return the definition.

    Args:
        function_arn: of the version that indexes documents.
        bucket: the documents bucket.
        concurrency: batches of one ingestion at once.
    """
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
                "ItemSelector": {"key": "{% $states.context.Map.Item.Value.Key %}"},
                "ItemBatcher": {"MaxItemsPerBatch": BATCH_DOCUMENTS},
                "MaxConcurrency": concurrency,
                # What becomes of a document stands on its entry, and stops no other.
                "ToleratedFailurePercentage": 100,
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                    "StartAt": "Batch",
                    "States": {
                        "Batch": _build_task(function_arn),
                        # Each turn has finished a document at least, or it would have failed.
                        "Left": {
                            "Type": "Choice",
                            "Choices": [{"Condition": "{% $count($states.input.Items) > 0 %}", "Next": "Batch"}],
                            "Default": "Done",
                        },
                        # A digit: the results of 100,000 documents are within 256 KiB then.
                        "Done": {"Type": "Succeed", "Output": 0},
                    },
                },
                "Output": {},
                "End": True,
            }
        },
    }


def _build_task(function_arn: str) -> State:
    retried = "$states.context.State.RetryCount"
    payload = f"$merge([$states.input, {{'last': {retried} >= {_LAST}, 'alone': {retried} > 0}}])"
    task = invoke(function_arn, payload, seconds=INGEST_SECONDS + 10, attempts=_RETRIES, waits_for=[MODELS_THROTTLED])
    # Another writer may hold a document for as long as it works on it.
    retries = [retry_throttled("StoreUnavailable"), *task["Retry"]]
    return {**task, "Retry": retries, "Next": "Left"}
