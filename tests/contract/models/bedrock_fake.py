"""Bedrock's InvokeModel on the loopback interface: checks the signature and the body, and lets the simulator answer."""

import datetime
import json
from typing import Any
from urllib.parse import unquote

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from twin.servers.loopback import ConnectionCut, LoopbackServer, Request, Response, json_response

ACCESS_KEY, SECRET_KEY, REGION = "AKIDCONTRACT", "bedrock-secret-5d1e-do-not-show", "eu-west-3"
_KINDS = {400: "ValidationException", 403: "AccessDeniedException", 404: "ResourceNotFoundException"}
_KINDS |= {413: "ValidationException", 429: "ThrottlingException", 503: "ServiceUnavailableException"}
_SECONDS = 30.0


class BedrockFake:
    """The endpoint bedrock-runtime of one region.

    Args:
        simulator_url: who answers, in the form of Anthropic's own API.
    """

    def __init__(self, simulator_url: str) -> None:
        self._simulator_url = simulator_url
        self._http = httpx.Client(timeout=_SECONDS)
        self._server = LoopbackServer(self._serve, name="bedrock-fake")
        self.seen: list[Request] = []
        self.url = ""

    def start(self) -> None:
        self.url = self._server.start()

    def stop(self) -> None:
        self._server.stop()
        self._http.close()

    def _serve(self, request: Request) -> Response:
        self.seen.append(request)
        _, root, model, action = unquote(request.path).split("/")
        if (request.method, root, action) != ("POST", "model", "invoke"):
            return _error(404, "UnknownOperationException", "no such operation")
        if not signed(request, self._server.url):
            return _error(403, "InvalidSignatureException", "The request signature we calculated does not match.")
        body = request.json()
        if "model" in body or "stream" in body or "anthropic_version" not in body:
            return _error(400, "ValidationException", "Malformed input request, please reformat your input.")
        del body["anthropic_version"]
        return self._ask({**body, "model": model.rpartition("anthropic.")[2]})

    def _ask(self, body: dict[str, Any]) -> Response:
        headers = {"x-api-key": "local", "anthropic-version": "2023-06-01"}
        try:
            answer = self._http.post(f"{self._simulator_url}/v1/messages", json=body, headers=headers)
        except httpx.TransportError:
            raise ConnectionCut(reset=True) from None
        request_id = answer.headers.get("request-id", "")
        if answer.status_code < 400:
            named = {"content-type": answer.headers["content-type"], "x-amzn-requestid": request_id}
            return Response(answer.status_code, answer.content, named)
        kind = _KINDS.get(answer.status_code, "InternalServerException")
        try:
            message = answer.json()["error"]["message"]
        except (ValueError, KeyError, TypeError):
            return Response(answer.status_code, answer.content, {"content-type": "text/html"})
        after = {"retry-after": answer.headers["retry-after"]} if "retry-after" in answer.headers else {}
        return _error(answer.status_code, kind, message, {"x-amzn-requestid": request_id, **after})


def _error(status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> Response:
    named = {"x-amzn-errortype": f"{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/", **(headers or {})}
    return json_response(status, {"message": message}, named)


def signed(request: Request, url: str) -> bool:
    """Tell if a request is signed as SigV4 has it, with the contract's credentials, for bedrock in this region."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    fields = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
    date = request.headers.get("x-amz-date", "")
    if scheme != "AWS4-HMAC-SHA256" or not date:
        return False
    if fields["Credential"] != f"{ACCESS_KEY}/{date[:8]}/{REGION}/bedrock/aws4_request":
        return False
    datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
    names = fields["SignedHeaders"].split(";")
    again = AWSRequest(
        method=request.method,
        url=f"{url}{request.path}",
        headers={name: request.headers[name] for name in names},
        data=request.body,
    )
    again.context["timestamp"] = date
    auth = SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "bedrock", REGION)
    wanted = auth.signature(auth.string_to_sign(again, auth.canonical_request(again)), again)
    return bool(wanted == fields["Signature"])


def body_of(request: Request) -> dict[str, Any]:
    """Return a request's JSON."""
    found: dict[str, Any] = json.loads(request.body)
    return found
