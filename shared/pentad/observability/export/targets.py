"""The tracing products that spans go to: address, headers, and what each wants said of a resource. Pure.

Sources: each product's page on OpenTelemetry, as read in November 2026; `tests/data/genai-conventions.json` has the
table. A target is configuration: `traces` in cdk.json, `docs/traces.md`.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from pentad.domain.errors import ConfigurationError
from pentad.domain.values import FrozenValue

TargetKind = Literal["otlp", "phoenix", "arize", "langsmith", "weave", "langfuse", "xray"]
ANNOTATED: Final = ("phoenix", "langsmith", "langfuse")
"""The products that have an API for what people say of a span."""


class Target(FrozenValue):
    """One place that spans are sent to.

    What opens it is no part of this: the secret has a JSON object for each target, by its name.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,29}$")
    kind: TargetKind
    endpoint: str | None = Field(default=None, pattern=r"^https?://[^\s?#]+$", max_length=500)
    project: str | None = Field(default=None, max_length=200, description="where the product has projects")
    entity: str | None = Field(default=None, max_length=200, description="of Weave: the team or user")
    contents: bool = Field(default=False, description="with what was said, of the agents that `contents` names")
    feedback: bool = Field(default=False, description="send what users say of answers as annotations too")

    @model_validator(mode="after")
    def _check_feedback(self) -> Self:
        if self.feedback and self.kind not in ANNOTATED:
            raise ValueError(f"feedback goes to {', '.join(ANNOTATED)} only")
        return self


class Addressed(NamedTuple):
    """Where a request goes and how it is opened.

    Args:
        url: the address.
        headers: beside those of the content.
        signed_for: the AWS service that the request is signed for; None for none.
    """

    url: str
    headers: dict[str, str]
    signed_for: str | None = None


Secret = Mapping[str, Any]


def build_address(target: Target, secret: Secret, region: str) -> Addressed:
    """Return where a target's requests go.

    Args:
        target: the target.
        secret: its own part of the secret.
        region: AWS's, for X-Ray.

    Raises:
        ConfigurationError: the secret lacks a field, or the target an endpoint.
    """
    return _ADDRESSES[target.kind](target, secret, region)


def build_resource(target: Target, service: str, stage: str) -> dict[str, str]:
    """Return the attributes of the resource that spans are of: the function, the stage, the product's project."""
    found = {
        "service.name": service,
        "service.namespace": "pentad",
        "deployment.environment.name": stage,
        "telemetry.sdk.language": "python",
    }
    if target.kind in ("phoenix", "arize") and target.project is not None:
        found["openinference.project.name"] = target.project
    if target.kind == "weave":
        found |= {"wandb.entity": target.entity or "", "wandb.project": target.project or "pentad"}
    return found


_TRACES = "/v1/traces"


def _take(target: Target, secret: Secret, field: str) -> str:
    value = secret.get(field)
    if not isinstance(value, str) or not value:
        raise ConfigurationError(
            f"the secret has no '{field}' for the traces' target '{target.name}'",
            field=field,
            fix=f'store {{"{target.name}": {{"{field}": "..."}}}}',
        )
    return value


def _join(target: Target, standard: str | None, path: str) -> str:
    """Return an endpoint with the path of traces; an endpoint that has it already is taken as it is."""
    base = target.endpoint or standard
    if base is None:
        raise ConfigurationError(
            f"the traces' target '{target.name}' has no endpoint", field="endpoint", fix="name it in cdk.json, traces"
        )
    base = base.rstrip("/")
    return base if base.endswith(_TRACES) else base + path


def _build_otlp(target: Target, secret: Secret, region: str) -> Addressed:
    given = secret.get("headers", {})
    if not isinstance(given, Mapping) or not all(isinstance(value, str) for value in given.values()):
        raise ConfigurationError(
            f"the headers of the traces' target '{target.name}' are not texts", field="headers", fix="store an object"
        )
    return Addressed(_join(target, None, _TRACES), {str(name): value for name, value in given.items()})


def _build_phoenix(target: Target, secret: Secret, region: str) -> Addressed:
    # Without authentication, as Phoenix starts, there is no key.
    key = secret.get("api_key")
    headers = {"authorization": f"Bearer {key}"} if isinstance(key, str) and key else {}
    return Addressed(_join(target, None, _TRACES), headers)


def _build_arize(target: Target, secret: Secret, region: str) -> Addressed:
    headers = {
        "arize-space-id": _take(target, secret, "space_id"),
        "arize-api-key": _take(target, secret, "api_key"),
    }
    return Addressed(_join(target, "https://otlp.arize.com", _TRACES), headers)


def _build_langsmith(target: Target, secret: Secret, region: str) -> Addressed:
    headers = {"x-api-key": _take(target, secret, "api_key"), "Langsmith-Project": target.project or "pentad"}
    return Addressed(_join(target, "https://api.smith.langchain.com/otel", _TRACES), headers)


def _build_weave(target: Target, secret: Secret, region: str) -> Addressed:
    if target.entity is None:
        raise ConfigurationError(
            f"the traces' target '{target.name}' has no entity", field="entity", fix="name it in cdk.json, traces"
        )
    headers = {"wandb-api-key": _take(target, secret, "api_key")}
    return Addressed(_join(target, "https://trace.wandb.ai/otel", _TRACES), headers)


def _build_langfuse(target: Target, secret: Secret, region: str) -> Addressed:
    pair = f"{_take(target, secret, 'public_key')}:{_take(target, secret, 'secret_key')}"
    headers = {
        "authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
        "x-langfuse-ingestion-version": "4",
    }
    return Addressed(_join(target, "https://cloud.langfuse.com", f"/api/public/otel{_TRACES}"), headers)


def _build_xray(target: Target, secret: Secret, region: str) -> Addressed:
    return Addressed(_join(target, f"https://xray.{region}.amazonaws.com", _TRACES), {}, "xray")


_ADDRESSES: Mapping[TargetKind, Callable[[Target, Secret, str], Addressed]] = {
    "otlp": _build_otlp,
    "phoenix": _build_phoenix,
    "arize": _build_arize,
    "langsmith": _build_langsmith,
    "weave": _build_weave,
    "langfuse": _build_langfuse,
    "xray": _build_xray,
}
