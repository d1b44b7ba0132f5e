"""The API over in-memory services, behind the twin's API Gateway on a loopback port."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from pentad.api.door.service import Door
from pentad.api.routes import MCP_PATH
from pentad.domain.messages import Message, TextBlock
from pentad.domain.models import ChatReply, ChatRequest, StopReason
from pentad.domain.usage import Usage
from pentad.models.catalog.catalog import load
from tests.unit.api.client import OWN_SCOPES, Client, Context
from tests.unit.orchestration.world import TENANT
from twin.deploy.deployment import HttpApi, HttpAuthorizer, HttpIntegration, HttpRoute, HttpStage, InvokePermission
from twin.host.clocks import CallClock
from twin.http_api.events import ApiIdentity
from twin.http_api.gateway import HttpGateway, InvokeFailed
from twin.http_api.server import HttpApiServer

KEY = "ptd.test.key"
_API, _AUTHORIZER = "arn:aws:lambda:eu-west-1:1:function:api", "arn:aws:lambda:eu-west-1:1:function:authorizer"


class PatientModel:
    """Answers every request with the same JSON object."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
        blocks = (TextBlock(text="{}"),)
        return ChatReply(
            message=Message(message_id="msg", role="assistant", blocks=blocks, created_at=self._clock()),
            stop=StopReason.END,
            usage=Usage(input_tokens=1, output_tokens=1),
            cost_nanousd=1,
            provider="scripted",
            model="model-1",
            notices=(),
        )


@contextmanager
def serve_api(client: Client) -> Iterator[str]:
    """Serve the API; yields its address."""
    services = client.services
    services.door = Door(PatientModel(services.now), services, load(), now=services.now)
    server = HttpApiServer()
    server.serve(HttpGateway(_build_api(), ApiIdentity("1", "eu-west-1", "api"), _make_invoke(client), _PERMISSIONS))
    try:
        yield server.url
    finally:
        server.stop()


def _make_invoke(client: Client) -> Callable[[str, bytes, CallClock], bytes]:
    def invoke(function: str, payload: bytes, clock: CallClock) -> bytes:
        event = json.loads(payload)
        if function == _API:
            return json.dumps(client.api(event, Context())).encode()
        if event["headers"].get("authorization") != f"Bearer {KEY}":
            raise InvokeFailed("refused", "Unauthorized")
        said = {"tenant": TENANT, "key_id": "abc", "user": "", "scopes": OWN_SCOPES, "groups": "*"}
        return json.dumps({"isAuthorized": True, "context": said}).encode()

    return invoke


_PERMISSIONS = tuple(
    InvokePermission(name, None, "apigateway.amazonaws.com", "lambda:InvokeFunction", None, None)
    for name in ("api", "authorizer")
)


def _build_api() -> HttpApi:
    authorizer = HttpAuthorizer(
        id="authorizer",
        name="authorizer",
        kind="REQUEST",
        function=_AUTHORIZER,
        identity_sources=("$request.header.Authorization",),
        cache_ttl=0,
        simple_responses=True,
        issuer=None,
        audience=(),
    )
    return HttpApi(
        "api",
        "api",
        None,
        integrations={"integration": HttpIntegration("integration", _API, 30_000)},
        authorizers={"authorizer": authorizer},
        routes=[
            HttpRoute(f"route-{number}", f"ANY {path}", "integration", "authorizer", ())
            for number, path in enumerate(("/v1/{proxy+}", MCP_PATH))
        ],
        stages=[HttpStage("$default", {})],
    )
