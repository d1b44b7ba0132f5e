"""What is Bedrock's alone: signed requests, its own error names, and a role without credentials."""

import pytest

from pentad.domain.models import Outcome
from pentad.models.catalog.provider_entries import ProviderEntry
from pentad.models.providers.adapters.bedrock import BedrockChat
from pentad.models.providers.exchange import ProviderFailure
from tests.contract.models.bedrock_fake import SECRET_KEY, BedrockFake, body_of, signed
from tests.contract.models.conftest import MODELS, Adapters, Serve
from tests.contract.models.wire_bodies import error
from tests.unit.models.samples import request
from twin.simulator import SimulatorControl

MODEL = MODELS["bedrock"]


def test_the_request_is_signed_for_the_models_own_path(
    adapters: Adapters, control: SimulatorControl, bedrock_fake: BedrockFake
) -> None:
    control.load_script({"reply": {"text": "Hi."}})
    adapters.bedrock.send(MODEL, request(), max_output_tokens=50, timeout=20)
    sent = bedrock_fake.seen[-1]
    assert sent.path == f"/model/{MODEL.id}/invoke"
    assert signed(sent, bedrock_fake.url)
    assert not ({"model", "stream"} & set(body_of(sent)))
    assert SECRET_KEY not in f"{sent.headers} {sent.body!r}"


@pytest.mark.parametrize(
    ("status", "kind", "outcome", "scope"),
    [
        (429, "ThrottlingException", Outcome.RATE_LIMIT, "model"),
        (400, "ServiceQuotaExceededException", Outcome.RATE_LIMIT, "model"),
        (429, "ModelNotReadyException", Outcome.OVERLOAD, "model"),
        (424, "ModelErrorException", Outcome.OVERLOAD, "model"),
        (408, "ModelTimeoutException", Outcome.TIMEOUT, "model"),
        (403, "AccessDeniedException", Outcome.AUTHENTICATION, "model"),
        (404, "ResourceNotFoundException", Outcome.AUTHENTICATION, "model"),
        (403, "ExpiredTokenException", Outcome.AUTHENTICATION, "provider"),
        (403, "InvalidSignatureException", Outcome.AUTHENTICATION, "provider"),
        (400, "ValidationException", Outcome.CALLER_ERROR, "model"),
    ],
)
def test_each_of_its_errors_has_its_outcome(serve: Serve, status: int, kind: str, outcome: Outcome, scope: str) -> None:
    adapters = serve(lambda _: error("bedrock", status, f"{kind}:http://internal.amazon.com/", "no"))
    with pytest.raises(ProviderFailure) as caught:
        adapters.bedrock.send(MODEL, request(), max_output_tokens=50, timeout=20)
    assert (caught.value.outcome, caught.value.scope) == (outcome, scope)
    assert kind in caught.value.error


def test_without_credentials_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    # A region of its own: the SDK keeps a session, with its credentials, for each.
    chat = BedrockChat(
        ProviderEntry(name="bedrock", kind="bedrock", region="eu-north-1", base_url="http://127.0.0.1:9")
    )
    with pytest.raises(ProviderFailure) as caught:
        chat.send(MODEL, request(), max_output_tokens=50, timeout=20)
    assert (caught.value.outcome, caught.value.scope, caught.value.sent) == (Outcome.AUTHENTICATION, "provider", False)
    chat.close()
