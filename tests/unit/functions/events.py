"""Lambda contexts and the wiring of handlers to services in memory."""

from typing import Any


class Context:
    """Lambda's context."""

    aws_request_id = "request-1"
    function_name = "function"
    memory_limit_in_mb = 128

    def __init__(self, qualifier: str = "") -> None:
        """``qualifier``: the version or alias by which the function is invoked."""
        arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
        self.invoked_function_arn = f"{arn}:{qualifier}" if qualifier else arn

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def sqs(*bodies: str) -> dict[str, Any]:
    """An SQS event of these bodies; the message ids are m0, m1, ..."""
    records = [
        {
            "messageId": f"m{number}",
            "receiptHandle": "h",
            "body": body,
            "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:queue",
            "awsRegion": "us-east-1",
        }
        for number, body in enumerate(bodies)
    ]
    return {"Records": records}


def failed(result: dict[str, Any]) -> list[str]:
    """The message ids that go back to the queue."""
    return [failure["itemIdentifier"] for failure in result["batchItemFailures"]]
