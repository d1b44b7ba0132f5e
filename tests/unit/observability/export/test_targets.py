"""Each tracing product's address, headers and attributes, as `tests/data/genai-conventions.json` has them."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pentad.domain.errors import ConfigurationError
from pentad.observability.export.targets import Target, build_address, build_resource

TABLE = json.loads((Path(__file__).parents[3] / "data/genai-conventions.json").read_text())["platforms"]
KEY = "the-key"


def target(kind: Any, **values: Any) -> Target:
    return Target(name="t", kind=kind, **values)


@pytest.mark.parametrize(
    ("made", "secret", "url", "headers"),
    [
        (target("phoenix", endpoint="https://p:6006"), {}, "https://p:6006/v1/traces", {}),
        (
            target("phoenix", endpoint="https://p/v1/traces"),
            {"api_key": KEY},
            "https://p/v1/traces",
            {"authorization": f"Bearer {KEY}"},
        ),
        (
            target("arize"),
            {"api_key": KEY, "space_id": "s"},
            "https://otlp.arize.com/v1/traces",
            {"arize-api-key": KEY, "arize-space-id": "s"},
        ),
        (
            target("langsmith", project="mine"),
            {"api_key": KEY},
            "https://api.smith.langchain.com/otel/v1/traces",
            {"x-api-key": KEY, "Langsmith-Project": "mine"},
        ),
        (
            target("langsmith", endpoint="https://eu.api.smith.langchain.com/otel/"),
            {"api_key": KEY},
            "https://eu.api.smith.langchain.com/otel/v1/traces",
            {"x-api-key": KEY, "Langsmith-Project": "pentad"},
        ),
        (
            target("weave", entity="team", project="mine"),
            {"api_key": KEY},
            "https://trace.wandb.ai/otel/v1/traces",
            {"wandb-api-key": KEY},
        ),
        (
            target("langfuse"),
            {"public_key": "pk", "secret_key": "sk"},
            "https://cloud.langfuse.com/api/public/otel/v1/traces",
            {
                "authorization": f"Basic {base64.b64encode(b'pk:sk').decode()}",
                "x-langfuse-ingestion-version": "4",
            },
        ),
        (target("otlp", endpoint="https://c/x"), {"headers": {"a": "b"}}, "https://c/x/v1/traces", {"a": "b"}),
        (target("xray"), {}, "https://xray.eu-west-1.amazonaws.com/v1/traces", {}),
    ],
)
def test_each_kind_has_its_address_and_headers(
    made: Target, secret: dict[str, Any], url: str, headers: dict[str, str]
) -> None:
    found = build_address(made, secret, "eu-west-1")
    assert (found.url, found.headers) == (url, headers)
    assert found.signed_for == ("xray" if made.kind == "xray" else None)


def test_the_addresses_are_the_tables() -> None:
    assert TABLE["langsmith"]["url"].startswith(build_address(target("langsmith"), {"api_key": KEY}, "").url)
    assert TABLE["weave"]["url"].startswith(build_address(target("weave", entity="e"), {"api_key": KEY}, "").url)
    assert build_address(target("xray"), {}, "{region}").url == TABLE["xray"]["url"]
    pair = {"public_key": "p", "secret_key": "s"}
    assert build_address(target("langfuse"), pair, "").url.endswith(TABLE["langfuse"]["path"])


@pytest.mark.parametrize(
    ("made", "secret"),
    [
        (target("langsmith"), {}),
        (target("langsmith"), {"api_key": ""}),
        (target("langsmith"), {"api_key": 7}),
        (target("arize"), {"api_key": KEY}),
        (target("weave"), {"api_key": KEY}),
        (target("phoenix"), {"api_key": KEY}),
        (target("otlp", endpoint="https://c"), {"headers": {"a": 1}}),
        (target("langfuse"), {"public_key": "pk"}),
    ],
)
def test_what_is_missing_is_told_without_the_secret(made: Target, secret: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build_address(made, secret, "eu-west-1")
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("endpoint", ["ftp://x", "https://", "https://a b", "https://a?key=1", "javascript:x"])
def test_an_endpoint_is_an_http_address(endpoint: str) -> None:
    with pytest.raises(ValidationError):
        target("otlp", endpoint=endpoint)


def test_the_resource_says_service_stage_and_the_products_project() -> None:
    plain = build_resource(target("otlp", endpoint="https://c"), "pentad-dev-gateway", "dev")
    assert plain["service.name"] == "pentad-dev-gateway"
    assert plain["deployment.environment.name"] == "dev"
    phoenix = build_resource(target("phoenix", project="p"), "f", "dev")
    weave = build_resource(target("weave", entity="e", project="p"), "f", "dev")
    assert {*TABLE["phoenix"]["resource"]} <= phoenix.keys()
    assert {*TABLE["weave"]["resource"]} <= weave.keys()
    assert not {"openinference.project.name", "wandb.entity"} & plain.keys()
