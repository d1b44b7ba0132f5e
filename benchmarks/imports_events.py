"""What `benchmarks.imports` asks of each handler: one event that gets as far as a store which has nothing."""

from dataclasses import dataclass, field
from typing import Any

_RUN = "run_" + "0" * 26
_PLACE = {"tenant": "acme", "run": _RUN}
_TURN = {**_PLACE, "session": "s1", "agent": "assistant"}
_STEP = {**_PLACE, "step": 1}
_ACCOUNT = "us-east-1:123456789012"

ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "PENTAD_STAGE": "dev",
    "PENTAD_PREFIX": "pentad-dev",
    "STATE_TABLE": "state",
    "TRANSIENT_TABLE": "transient",
    "LEDGER_TABLE": "ledger",
    "RECORDS_TABLE": "records",
    "PAYLOAD_BUCKET": "payload",
    "DOCUMENTS_BUCKET": "documents",
    "STATE_MACHINE_ARN_PREFIX": f"arn:aws:states:{_ACCOUNT}:stateMachine:pentad-dev-",
    "APPROVAL_KEY": f"arn:aws:kms:{_ACCOUNT}:key/a",
    "TOOL_RUNNER": f"arn:aws:lambda:{_ACCOUNT}:function:run-tool",
    "TOOL_FUNCTION_PREFIX": "pentad-dev-tool-",
    "AWS_REGION": "eu-central-1",
    "GATEWAY_FUNCTION": f"arn:aws:lambda:{_ACCOUNT}:function:gateway",
    "VECTOR_STORE": "pinecone",
    "VECTOR_SECRET": "pentad-dev/pinecone",
    "ANTHROPIC_SECRET": f"arn:aws:secretsmanager:{_ACCOUNT}:secret:anthropic",
    "OPENAI_SECRET": f"arn:aws:secretsmanager:{_ACCOUNT}:secret:openai",
    "SLACK_SECRET": f"arn:aws:secretsmanager:{_ACCOUNT}:secret:slack",
    "EVENT_BUS": "pentad-dev",
    "AUDIT_KEY": f"arn:aws:kms:{_ACCOUNT}:key/b",
    "INGEST_SHARE": "2",
    "BULK_SHARE": "3",
    "GATEWAY_SHARE": "5",
    "LIFECYCLE_QUEUE": f"arn:aws:sqs:{_ACCOUNT}:pentad-dev-lifecycle",
    "NOTICE_GROUPS": '{"*": ["topic"]}',
    "NOTICE_LINK": "https://example.com/approvals",
    "NOTICE_TOPIC": f"arn:aws:sns:{_ACCOUNT}:notices",
}


@dataclass(frozen=True)
class Case:
    """One handler and one event.

    Attributes:
        name: what the table calls it.
        module: the handler's module.
        event: what it is asked.
        function: the handler's name in its module.
        environment: beside what all have.
    """

    name: str
    module: str
    event: Any
    function: str = "handler"
    environment: dict[str, str] = field(default_factory=dict)


def _http(method: str, path: str, body: str | None = None) -> dict[str, Any]:
    scopes = "runs:read runs:write documents:read documents:write approvals:write models:invoke"
    return {
        "version": "2.0",
        "rawPath": path,
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "stage": "$default",
            "requestId": "r",
            "http": {"method": method, "path": path, "sourceIp": "127.0.0.1", "userAgent": "", "protocol": "H"},
            "authorizer": {"lambda": {"tenant": "acme", "key_id": "k", "user": "", "scopes": scopes, "groups": "*"}},
        },
        "isBase64Encoded": False,
        **({} if body is None else {"body": body}),
    }


def _sqs(body: str) -> dict[str, Any]:
    record = {
        "messageId": "m0",
        "receiptHandle": "h",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{_ACCOUNT}:queue",
        "awsRegion": "us-east-1",
    }
    return {"Records": [record]}


_MESSAGE = '{"tenant": "acme", "agent": "assistant", "message": "Hello"}'
_DOCUMENT = """{"detail-type": "Object Created", "detail": {
    "bucket": {"name": "documents"}, "object": {"key": "acme/a.md", "size": 3, "etag": "e"}}}"""
_ENDED = """{"detail-type": "pentad.run.finished", "detail": {
    "tenant": "acme", "session": "s-1", "run": "run_00000000000000000000000000", "status": "succeeded"}}"""
_ANNOUNCEMENT = """{"detail": {
    "event": "requested", "number": "0-0", "tenant": "acme", "run": "run_00000000000000000000000000",
    "approval": "apr_00000000000000000000000000_00001", "agent": "assistant", "kind": "calls", "group": "approvers",
    "status": "pending", "expires_at": "2030-01-01T00:00:00Z"}}"""
_REQUEST = '{"agent": "assistant", "message": "Hello"}'
_ASKED = {"message_id": "m", "role": "user", "blocks": [{"type": "text", "text": "2 + 2?"}], "created_at": 0}
_CHAT = '{"model": "smart", "messages": [{"role": "user", "content": "2 + 2?"}]}'

_CALL = {**_STEP, "agent": "assistant", "index": 0}
_HANDED = {
    "op": "run",
    **_CALL,
    "session": "s",
    "effect_key": "k",
    "arguments": {"expression": "2 + 2"},
    "deadline": 4_000_000_000,
}

CASES = (
    Case("api: list agents", "functions.api.http", _http("GET", "/v1/agents")),
    Case("api: read a run", "functions.api.http", _http("GET", f"/v1/runs/{_RUN}")),
    Case("api: start a run", "functions.api.http", _http("POST", "/v1/runs", _REQUEST)),
    Case("api: complete a chat", "functions.api.http", _http("POST", "/v1/chat/completions", _CHAT)),
    Case(
        "authorizer",
        "functions.api.authorizer",
        {"headers": {"authorization": "Bearer ptd.acme.abcdefghijkl.abcdefghijklmnopqrstuvwxyz0123456789"}},
    ),
    Case("gateway: think", "functions.models.gateway", {"op": "think", **_TURN, "step": 1}),
    Case("gateway: begin", "functions.models.gateway", {"op": "begin", **_TURN}),
    Case(
        "gateway: complete",
        "functions.models.gateway",
        {"op": "complete", "request": {"messages": [_ASKED]}, "context": {"tenant": "acme"}},
    ),
    Case(
        "gateway: embed",
        "functions.models.gateway",
        {"op": "embed", "texts": ["a"], "context": {"tenant": "acme", "purpose": "embed_query"}},
    ),
    Case("recall", "functions.memory.recall", _TURN),
    Case("ingest", "functions.memory.ingest", _sqs(_DOCUMENT)),
    Case("remember", "functions.memory.remember", _sqs(_ENDED)),
    Case(
        "await_human",
        "functions.orchestration.await_human",
        {"op": "request", **_STEP, "agent": "assistant", "task_token": "t"},
    ),
    Case("deliver", "functions.orchestration.deliver", {"op": "deliver", **_STEP, "kind": "answer"}),
    Case("notify", "functions.orchestration.notify", _sqs(_ANNOUNCEMENT)),
    Case("trigger", "functions.orchestration.trigger", _sqs(_MESSAGE)),
    Case("workflow", "functions.orchestration.workflow", {"op": "finish", **_TURN}),
    Case("tool runner", "functions.orchestration.run_tool", {"op": "run", **_CALL}),
    Case(
        "tool: calculator",
        "pentad.runtime.tool_entrypoint",
        _HANDED,
        environment={"TOOL_MODULE": "functions.tools.calculator"},
    ),
)
