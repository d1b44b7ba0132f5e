"""The AWS front: every call of the twin comes through here, is identified, authorised, counted and served."""

from __future__ import annotations

import hmac
import json
import logging
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, Self

from twin.front import errors
from twin.front.account import MotoAccount, TokenResolver
from twin.front.backend import MotoBackend
from twin.front.checks.constraints import find_violation
from twin.front.checks.presigned import find_refusal
from twin.front.encryption import list_key_accesses
from twin.front.lambda_api import Invoker, LambdaApi
from twin.front.model import ApiCall, ApiEvent, ApiResponse, CountKey, EventCallback, ServiceOverride, TableTimes
from twin.front.parse import NotAwsRequest, parse_call, read_headers, read_query, read_signature
from twin.front.server import FrontServer
from twin.front.sts_api import StsApi
from twin.iam.authorizer import Authorizer
from twin.iam.classify.accesses import classify_call
from twin.iam.classify.call import Call, UnknownCall
from twin.iam.model import Access, PolicyError, Principal, UnknownCredentials
from twin.iam.principals import Principals

logger = logging.getLogger(__name__)

OWN_PATHS: Final = "/_twin/"
HEALTH_PATH: Final = "/_twin/health"
COUNTS_PATH: Final = "/_twin/counts"
_ANNOUNCED: Final = frozenset(
    (
        ("s3", "PutObject"),
        ("s3", "CopyObject"),
        ("s3", "CompleteMultipartUpload"),
        ("s3", "DeleteObject"),
        ("s3", "DeleteObjects"),
        ("sqs", "SendMessage"),
        ("sqs", "SendMessageBatch"),
        ("sqs", "ChangeMessageVisibility"),
        ("events", "PutEvents"),
    )
)
OwnCalls = Callable[[str, str | None, bytes], ApiResponse | None]
_READS: Final = frozenset(("GetObject", "HeadObject"))


class AwsFront:
    """One endpoint for all AWS services of the twin.

    Start it, make the function host with its `url`, then `attach` the host.
    """

    def __init__(
        self,
        region: str = "us-east-1",
        principals: Principals | None = None,
        hosts: Collection[str] = (),
        table_times: TableTimes | None = None,
    ) -> None:
        self.region = region
        self.principals = principals or Principals()
        self.account = MotoAccount(region)
        self.authorizer = Authorizer(self.account, region)
        self._backend = MotoBackend(self.account, table_times)
        self._server = FrontServer(self._handle, hosts)
        self._overrides: dict[str, ServiceOverride] = {"sts": StsApi(self.principals, self.account, region)}
        self._callbacks: list[EventCallback] = []
        self._own_calls: OwnCalls | None = None
        self._counts: Counter[CountKey] = Counter()
        self._guard = threading.Lock()

    @property
    def url(self) -> str:
        """The endpoint, for AWS_ENDPOINT_URL."""
        return f"http://127.0.0.1:{self._server.port}"

    def attach(self, host: Invoker) -> None:
        """Serve Lambda's Invoke from a function host."""
        self.register_override("lambda", LambdaApi(host))

    def register_override(self, service: str, serve: ServiceOverride) -> None:
        """Serve a service's calls by a function; what it answers with None goes to moto. `service` as in IAM."""
        self._overrides[service] = serve

    def resolve_tokens(self, resolver: TokenResolver) -> None:
        """Say how the state machine of a task token is found, so that SendTaskSuccess is authorised by machine."""
        self.account.token_resolver = resolver

    def serve_own(self, serve: OwnCalls) -> None:
        """Answer requests below `OWN_PATHS`; `serve` gets the path, the key the caller sends, and the body."""
        self._own_calls = serve

    def on_event(self, callback: EventCallback) -> None:
        """Subscribe to successful writes that pumps wait for (see model.ApiEvent)."""
        self._callbacks.append(callback)

    def count_calls(self) -> Mapping[CountKey, int]:
        """Return how many calls were made, by service, operation and principal (a role's name)."""
        with self._guard:
            return dict(self._counts)

    def start(self, port: int = 0) -> str:
        """Serve in the background and return the URL."""
        self._server.start(port)
        return self.url

    def stop(self) -> None:
        """Stop serving. Idempotent."""
        self._backend.stop()
        self._server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _handle(self, environ: dict[str, Any], body: bytes) -> ApiResponse:
        path = environ.get("PATH_INFO", "")
        if path.startswith(OWN_PATHS):
            return self._handle_own(path, environ, body)
        headers, query = read_headers(environ), read_query(environ)
        try:
            signature = read_signature(headers, query)
        except NotAwsRequest:
            return errors.build_missing_token()
        try:
            principal = self.principals.authenticate(signature.access_key, signature.session_token)
        except UnknownCredentials as exc:
            return errors.build_invalid_credentials(signature.service, str(exc))
        parsed = parse_call(signature.service, environ, headers, body)
        call = ApiCall(
            service=signature.service,
            operation=parsed.operation,
            params=parsed.params,
            principal=principal,
            method=environ["REQUEST_METHOD"],
            path=path,
            query=query,
            headers=headers,
            body=body,
        )
        self._record_call(call)
        denied = self._find_denial(call)
        if denied is not None:
            return errors.build_access_denied(call.service, denied)
        if call.service == "s3":
            secret = self.principals.find_secret(signature.access_key)
            refusal = find_refusal(environ, headers, query, body=body, secret=secret)
            if refusal is not None:
                return errors.build_s3_error(refusal.status, refusal.code, refusal.message)
        environ.setdefault(
            "HTTP_AUTHORIZATION", _build_authorization(signature.access_key, signature.region, signature.service)
        )
        return self._serve(call, environ)

    def _serve(self, call: ApiCall, environ: dict[str, Any]) -> ApiResponse:
        violation = find_violation(call, environ)
        if violation is not None:
            return violation
        override = self._overrides.get(call.service)
        response = override(call) if override is not None else None
        if response is None:
            response = self._backend.serve(call, environ)
        if response.status == 404 and self._must_hide_absence(call):
            return errors.build_access_denied("s3", self._describe_absence(call))
        if response.status < 300 and (call.service, call.operation) in _ANNOUNCED:
            self._publish_event(call, response)
        return response

    def _find_denial(self, call: ApiCall) -> str | None:
        """Return AWS's message if the call is not allowed."""
        if call.principal.unrestricted:
            return None
        needed = Call(call.service, call.operation, call.params, self.region, self.account)
        refusal = f"User: {call.principal.arn} is not authorized to perform: {call.service}:{call.operation}"
        try:
            touched = list(classify_call(needed))
        except (KeyError, TypeError, AttributeError) as exc:
            # The parameters are not what the operation takes, so what it would touch cannot be told.
            return f"{refusal}: malformed parameters: {exc!r}"
        except UnknownCall as exc:
            return f"{refusal}: {exc}"
        try:
            decision = self.authorizer.find_denial(call.principal, touched) or self.authorizer.find_denial(
                call.principal, list_key_accesses(self.account, touched, self.region)
            )
        except PolicyError as exc:
            logger.warning("cannot evaluate a policy of %s: %s", call.principal.arn, exc)
            return f"{refusal}: {exc}"
        return None if decision is None else decision.message

    def _must_hide_absence(self, call: ApiCall) -> bool:
        """S3 says 403 and not 404 about an absent object to callers that may not list the bucket."""
        if call.service != "s3" or call.operation not in _READS or call.principal.unrestricted:
            return False
        access = Access("s3:ListBucket", f"arn:aws:s3:::{call.params['Bucket']}")
        return not self.authorizer.evaluate(call.principal, access).allowed

    def _describe_absence(self, call: ApiCall) -> str:
        access = Access("s3:ListBucket", f"arn:aws:s3:::{call.params['Bucket']}")
        return self.authorizer.evaluate(call.principal, access).message

    def _record_call(self, call: ApiCall) -> None:
        key = CountKey(call.service, call.operation, _name_of(call.principal))
        with self._guard:
            self._counts[key] += 1

    def _publish_event(self, call: ApiCall, response: ApiResponse) -> None:
        self._backend.notify_receivers()
        event = ApiEvent(call.service, call.operation, call.params, response, call.principal)
        for callback in self._callbacks:
            callback(event)

    def _handle_own(self, path: str, environ: dict[str, Any], body: bytes) -> ApiResponse:
        if path == HEALTH_PATH:
            return _json_response({"status": "ok", "region": self.region})
        key = environ.get("HTTP_X_TWIN_KEY")
        if path == COUNTS_PATH:
            if not hmac.compare_digest((key or "").encode(), self.principals.administrator.secret_access_key.encode()):
                return ApiResponse(403, (), b"")
            return _json_response([{**key._asdict(), "count": n} for key, n in self.count_calls().items()])
        served = self._own_calls(path, key, body) if self._own_calls else None
        return served or ApiResponse(404, (), b"")


def _name_of(principal: Principal) -> str:
    return (principal.role_arn or principal.arn).rsplit("/", 1)[-1]


def _build_authorization(access_key: str, region: str, service: str) -> str:
    """An Authorization header for a presigned request, which moto would otherwise route by guessing."""
    return f"AWS4-HMAC-SHA256 Credential={access_key}/20000101/{region}/{service}/aws4_request"


def _json_response(body: object) -> ApiResponse:
    return ApiResponse(200, (("Content-Type", "application/json"),), json.dumps(body).encode())
