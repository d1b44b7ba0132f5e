"""Which pages may call the API from a browser: none, unless a project's cdk.json names their origins."""

from typing import Any

import pytest
from aws_cdk import App

from infra.api.http import _build_cors
from infra.config import STAGES, read_origins, read_stage
from pentad.api.body import MENDED_HEADER
from pentad.api.mcp.protocol import PROTOCOL_VERSION
from pentad.api.routers.door import STRICT_HEADER
from pentad.domain.errors import ConfigurationError
from pentad.domain.tracing import HEADER
from tests.infra.conftest import Json

PAGE = "https://app.example.com"


def test_no_stage_lets_pages_in_by_itself(resources: list[tuple[str, Json]]) -> None:
    assert {stage.cors_origins for stage in STAGES.values()} == {()}
    assert _build_cors(()) is None
    [api] = [body for _, body in resources if body["Type"] == "AWS::ApiGatewayV2::Api"]
    assert "CorsConfiguration" not in api["Properties"]


def test_a_projects_cdk_json_names_the_origins_of_a_stage() -> None:
    context = {"stage": "dev", "cors": {"dev": [PAGE, "http://localhost:3000"], "prod": []}}
    assert read_stage(App(context=context)).cors_origins == (PAGE, "http://localhost:3000")
    assert read_stage(App(context=context | {"stage": "prod"})).cors_origins == ()
    assert read_stage(App(context=context | {"stage": "staging"})) == STAGES["staging"]


def test_pages_may_send_the_credential_and_read_what_clients_need() -> None:
    made = _build_cors((PAGE,))
    assert made is not None
    assert made.allow_origins == [PAGE]
    read = {
        "authorization",
        "content-type",
        "idempotency-key",
        "prefer",
        STRICT_HEADER,
        HEADER,
        PROTOCOL_VERSION.lower(),
    }
    assert read | {"user-agent", "x-stainless-retry-count", "openai-beta"} <= set(made.allow_headers or ())
    shown = set(made.expose_headers or ())
    assert {"location", "retry-after", "x-request-id", "x-pentad-ignored", MENDED_HEADER} <= shown
    # No cookie is a credential here, and OPTIONS is answered by API Gateway itself.
    assert made.allow_credentials is None
    assert "OPTIONS" not in {method.name for method in made.allow_methods or ()}


@pytest.mark.parametrize("values", ["https://a.example", ["*"], ["a.example"], ["https://a.example/"], [1], None])
def test_what_is_no_origin_is_refused(values: Any) -> None:
    with pytest.raises(ConfigurationError, match="cors"):
        read_origins(values)
