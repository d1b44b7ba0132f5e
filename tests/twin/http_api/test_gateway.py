"""The HTTP API routes, authorises, invokes and answers as API Gateway does."""

import base64
import json
import threading

import pytest

from tests.twin.http_api.builders import Functions, api, authorizer, gateway, permission, request
from twin.http_api.gateway import InvokeFailed, InvokeThrottled
from twin.http_api.responses import HttpResponse


def echo(event: dict[str, object]) -> object:
    return event


def called(*keys: str, **arguments: object) -> dict[str, object]:
    """Send one request to an API with `keys` and return the event its function got."""
    functions = Functions(api=echo)
    made = gateway(api(*keys), functions)
    assert made.handle(request(**arguments)).status == 200  # type: ignore[arg-type]
    return functions.events[-1]


def test_event_has_the_shape_of_payload_format_2() -> None:
    event = called(
        "POST /v1/runs/{run}/{proxy+}",
        method="POST",
        path="/v1/runs/r 1/a/b",
        query="a=1&a=2&b=%20",
        headers={"content-type": "application/json", "cookie": "x=1; y=2", "user-agent": "t"},
        body=b'{"k": 1}',
    )
    context = event["requestContext"]
    assert isinstance(context, dict)
    assert context.pop("time")
    assert context.pop("timeEpoch") > 0
    assert event == {
        "version": "2.0",
        "routeKey": "POST /v1/runs/{run}/{proxy+}",
        "rawPath": "/v1/runs/r 1/a/b",
        "rawQueryString": "a=1&a=2&b=%20",
        "cookies": ["x=1", "y=2"],
        "headers": {"content-type": "application/json", "user-agent": "t"},
        "queryStringParameters": {"a": "1,2", "b": " "},
        "pathParameters": {"run": "r 1", "proxy": "a/b"},
        "body": '{"k": 1}',
        "isBase64Encoded": False,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc123",
            "domainName": "abc123.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "abc123",
            "http": {
                "method": "POST",
                "path": "/v1/runs/r 1/a/b",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "t",
            },
            "requestId": "req-1",
            "routeKey": "POST /v1/runs/{run}/{proxy+}",
            "stage": "$default",
        },
    }


def test_absent_parts_are_left_out_of_the_event() -> None:
    event = called("$default")
    assert not {"cookies", "queryStringParameters", "pathParameters", "body", "stageVariables"} & set(event)


@pytest.mark.parametrize("kind", ["application/octet-stream", "application/x-www-form-urlencoded", "image/png"])
def test_other_content_than_text_arrives_as_base64(kind: str) -> None:
    event = called("$default", method="POST", headers={"content-type": kind}, body=b"\x00\xff")
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(str(event["body"])) == b"\x00\xff"


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("GET", "/a/b", "GET /a/b"),
        ("POST", "/a/b", "ANY /a/b"),
        ("GET", "/a/c", "GET /a/{id}"),
        ("GET", "/a/c/d", "ANY /a/{proxy+}"),
        ("GET", "/z", "$default"),
        ("DELETE", "/a/c", "ANY /a/{proxy+}"),
    ],
)
def test_most_specific_route_wins(method: str, path: str, key: str) -> None:
    keys = ("$default", "ANY /a/{proxy+}", "GET /a/{id}", "ANY /a/b", "GET /a/b")
    assert called(*keys, method=method, path=path)["routeKey"] == key


def test_unknown_route_is_not_found() -> None:
    response = gateway(api("GET /a"), Functions(api=echo)).handle(request("GET", "/b"))
    assert (response.status, json.loads(response.body)) == (404, {"message": "Not Found"})


def test_known_path_with_another_method_is_not_found() -> None:
    assert gateway(api("GET /a"), Functions(api=echo)).handle(request("POST", "/a")).status == 404


def test_greedy_parameter_needs_a_segment() -> None:
    assert gateway(api("ANY /a/{proxy+}"), Functions(api=echo)).handle(request("GET", "/a/")).status == 404


def test_structured_result_becomes_the_response() -> None:
    result = {"statusCode": 201, "headers": {"X-A": "1"}, "cookies": ["c=1", "d=2"], "body": "hi"}
    response = gateway(api("$default"), Functions(api=lambda _: result)).handle(request())
    assert (response.status, response.body) == (201, b"hi")
    assert [value for name, value in response.headers if name == "set-cookie"] == ["c=1", "d=2"]
    assert ("x-a", "1") in response.headers


def test_base64_result_is_decoded() -> None:
    result = {"statusCode": 200, "body": base64.b64encode(b"\x00\x01").decode(), "isBase64Encoded": True}
    assert gateway(api("$default"), Functions(api=lambda _: result)).handle(request()).body == b"\x00\x01"


def test_bare_json_result_is_a_200() -> None:
    response = gateway(api("$default"), Functions(api=lambda _: {"a": 1})).handle(request())
    assert (response.status, json.loads(response.body)) == (200, {"a": 1})
    assert ("content-type", "application/json") in response.headers


@pytest.mark.parametrize("result", [{"statusCode": "x"}, {"statusCode": 200, "body": {"a": 1}}, {"statusCode": 7}])
def test_malformed_result_is_an_internal_error(result: object) -> None:
    response = gateway(api("$default"), Functions(api=lambda _: result)).handle(request())
    assert (response.status, json.loads(response.body)) == (500, {"message": "Internal Server Error"})


def test_failing_function_is_an_internal_error() -> None:
    assert gateway(api("$default"), Functions()).handle(request()).status == 500


def assert_says_try_again(response: HttpResponse) -> None:
    assert response.status == 503
    headers = dict(response.headers)
    assert headers["content-type"] == "application/problem+json"
    assert int(headers["retry-after"]) >= 1
    problem = json.loads(response.body)
    assert (problem["status"], problem["code"]) == (503, "ServiceUnavailable")
    assert (problem["message"], problem["instance"]) == ("Service Unavailable", "req-1")


@pytest.mark.parametrize("throttled", ["api", "authorizer"])
def test_where_no_instance_is_free_the_client_is_told_when_to_try_again(throttled: str) -> None:
    def refuse(_: object) -> object:
        raise InvokeThrottled("Rate Exceeded.")

    functions = {"api": echo, "authorizer": lambda _: {"isAuthorized": True}} | {throttled: refuse}
    made = gateway(api("$default", guard=authorizer()), Functions(**functions))
    assert_says_try_again(made.handle(request(headers={"authorization": "key"})))


def test_slow_function_is_unavailable_after_the_integration_timeout() -> None:
    release = threading.Event()

    def wait(_: object) -> object:
        release.wait(10)
        return {}

    made = gateway(api("$default", timeout=50), Functions(api=wait))
    response = made.handle(request())
    release.set()
    made.close()
    assert_says_try_again(response)


def test_missing_permission_is_an_internal_error_and_calls_nothing() -> None:
    functions = Functions(api=echo)
    other = permission("api", "arn:aws:execute-api:us-east-1:123456789012:other/*")
    assert gateway(api("$default"), functions, other).handle(request()).status == 500
    assert functions.events == []


def test_permission_covers_its_own_route_only() -> None:
    source = "arn:aws:execute-api:us-east-1:123456789012:abc123/*/*/a/{id}"
    made = gateway(api("GET /a/{id}", "GET /b"), Functions(api=echo), permission("api", source))
    assert [made.handle(request("GET", path)).status for path in ("/a/1", "/b")] == [200, 500]


def guarded(answer: object, **changes: object) -> tuple[Functions, object]:
    functions = Functions(api=echo, authorizer=lambda _: answer)
    guard = authorizer(**changes)
    return functions, gateway(api("GET /a/{id}", guard=guard), functions)


KEY = {"authorization": "key-1"}


def test_missing_identity_is_unauthorized_without_a_call() -> None:
    functions, made = guarded({"isAuthorized": True})
    response = made.handle(request("GET", "/a/1"))  # type: ignore[attr-defined]
    assert (response.status, json.loads(response.body)) == (401, {"message": "Unauthorized"})
    assert functions.events == []


def test_authorizer_context_reaches_the_function() -> None:
    functions, made = guarded({"isAuthorized": True, "context": {"tenant": "t1"}})
    assert made.handle(request("GET", "/a/1", headers=KEY)).status == 200  # type: ignore[attr-defined]
    assert functions.events[1]["requestContext"]["authorizer"] == {"lambda": {"tenant": "t1"}}


def test_authorizer_event_has_the_shape_of_format_2() -> None:
    functions, made = guarded({"isAuthorized": True})
    made.handle(request("GET", "/a/1", headers=KEY))  # type: ignore[attr-defined]
    event = functions.events[0]
    assert event["type"] == "REQUEST"
    assert event["routeArn"] == "arn:aws:execute-api:us-east-1:123456789012:abc123/$default/GET/a/1"
    assert event["identitySource"] == ["key-1"]
    assert event["pathParameters"] == {"id": "1"}
    assert "body" not in event
    assert "isBase64Encoded" not in event


def test_refused_identity_is_forbidden() -> None:
    _, made = guarded({"isAuthorized": False})
    response = made.handle(request("GET", "/a/1", headers=KEY))  # type: ignore[attr-defined]
    assert (response.status, json.loads(response.body)) == (403, {"message": "Forbidden"})


def test_authorizer_that_raises_unauthorized_makes_a_401() -> None:
    def fail(_: object) -> object:
        raise InvokeFailed("Exception: Unauthorized", "Unauthorized")

    made = gateway(api("GET /a", guard=authorizer()), Functions(api=echo, authorizer=fail))
    response = made.handle(request("GET", "/a", headers=KEY))
    assert (response.status, json.loads(response.body)) == (401, {"message": "Unauthorized"})


@pytest.mark.parametrize("answer", [{}, [], {"isAuthorized": "yes"}])
def test_malformed_authorizer_answer_is_an_internal_error(answer: object) -> None:
    _, made = guarded(answer)
    assert made.handle(request("GET", "/a/1", headers=KEY)).status == 500  # type: ignore[attr-defined]


def test_failing_authorizer_is_an_internal_error() -> None:
    def fail(_: object) -> object:
        raise InvokeFailed("crashed")

    functions = Functions(api=echo, authorizer=fail)
    made = gateway(api("GET /a", guard=authorizer()), functions)
    assert made.handle(request("GET", "/a", headers=KEY)).status == 500


def test_policy_answer_is_evaluated_for_the_route() -> None:
    arn = "arn:aws:execute-api:us-east-1:123456789012:abc123/$default/GET/a/1"
    policy = {"Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": arn}]}
    _, made = guarded({"policyDocument": policy}, simple_responses=False)
    statuses = [made.handle(request("GET", path, headers=KEY)).status for path in ("/a/1", "/a/2")]  # type: ignore[attr-defined]
    assert statuses == [200, 403]


def test_answer_is_cached_by_identity() -> None:
    functions, made = guarded({"isAuthorized": True}, cache_ttl=300)
    for key in ("key-1", "key-1", "key-2"):
        made.handle(request("GET", "/a/1", headers={"authorization": key}))  # type: ignore[attr-defined]
    asked = [event["identitySource"] for event in functions.events if event.get("type") == "REQUEST"]
    assert asked == [["key-1"], ["key-2"]]


@pytest.mark.parametrize("first", [True, False])
def test_an_answer_is_kept_for_its_ttl_from_when_it_was_given_however_often_it_is_used(first: bool) -> None:
    # API Gateway developer guide, "Control access to HTTP APIs with AWS Lambda authorizers", caching: the result is
    # cached for the TTL. A hit does not begin it anew, so a revoked key that is used all the time stops working.
    now = [0.0]
    answers = iter([{"isAuthorized": first}, {"isAuthorized": not first}])
    functions = Functions(api=echo, authorizer=lambda _: next(answers))
    made = gateway(api("GET /a", guard=authorizer(cache_ttl=300)), functions, clock=lambda: now[0])
    statuses = []
    for now[0] in (0.0, 200.0, 299.0, 300.0, 400.0):
        statuses.append(made.handle(request("GET", "/a", headers=KEY)).status)
    before, after = (200, 403) if first else (403, 200)
    assert statuses == [before, before, before, after, after]


def test_answer_is_not_cached_without_a_ttl() -> None:
    functions, made = guarded({"isAuthorized": True})
    for _ in range(2):
        made.handle(request("GET", "/a/1", headers=KEY))  # type: ignore[attr-defined]
    assert sum(event.get("type") == "REQUEST" for event in functions.events) == 2


CORS = {"AllowOrigins": ["https://a"], "AllowMethods": ["GET"], "AllowHeaders": ["x"], "MaxAge": 5}


def test_preflight_is_answered_without_a_route() -> None:
    headers = {"origin": "https://a", "access-control-request-method": "GET"}
    response = gateway(api("GET /a", cors=CORS), Functions()).handle(request("OPTIONS", "/a", headers=headers))
    assert response.status == 204
    assert ("access-control-allow-origin", "https://a") in response.headers
    assert ("access-control-allow-methods", "GET") in response.headers


def test_function_cannot_set_cors_headers_of_a_configured_api() -> None:
    result = {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*"}, "body": ""}
    made = gateway(api("GET /a", cors=CORS), Functions(api=lambda _: result))
    response = made.handle(request("GET", "/a", headers={"origin": "https://b"}))
    assert not any(name == "access-control-allow-origin" for name, _ in response.headers)
