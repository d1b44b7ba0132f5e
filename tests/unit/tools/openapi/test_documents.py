"""Operations out of documents: parameters, bodies, references, credentials, and what a tool can't do."""

import json

import pytest

from pentad.domain.errors import ConfigurationError, InvalidInput
from pentad.domain.schemas import find_violations
from pentad.tools.openapi.documents import list_operations, make_tool_name, read_document, read_operation
from pentad.tools.openapi.operations import ApiOperation, build_request
from tests.unit.tools.openapi.shop import SHOP

DOCUMENT = read_document(SHOP)


def test_operations_are_listed_by_their_ids() -> None:
    assert list_operations(DOCUMENT)[:3] == ["listOrders", "createOrder", "getOrder"]
    assert read_operation(DOCUMENT, "GET /orders/{order_id}").name == "get_order"


def test_parameters_become_arguments_under_names_that_a_model_may_write() -> None:
    operation = read_operation(DOCUMENT, "listOrders")
    assert (operation.method, operation.server, operation.path) == ("get", "https://eu.shop.example/v1", "/orders")
    properties = operation.input_schema["properties"]
    assert list(properties) == ["X_Trace", "status", "tags", "filter", "page_size"]
    assert properties["page_size"] == {"type": "integer", "exclusiveMinimum": 0, "maximum": 100}
    assert "required" not in operation.input_schema and operation.auth is not None
    assert operation.description == "List orders\n\nNewest first.\n\n(GET /orders of Shop)"


def test_a_body_keeps_what_a_request_has_and_is_cut_where_it_comes_again() -> None:
    operation = read_operation(DOCUMENT, "createOrder")
    body = operation.input_schema["properties"]["body"]
    assert "id" not in body["properties"] and body["required"] == ["customer", "lines"]
    assert body["properties"]["customer"] == {"type": ["string", "null"]}
    assert body["properties"]["size"] == {"type": ["string", "null"], "enum": ["s", "m", None]}
    assert body["properties"]["parent"] == {"description": "as above; any value is taken here"}
    assert operation.takes_key and operation.input_schema["required"] == ["body"]
    good = {"body": {"customer": None, "lines": [{"item": "tea", "count": 2}], "when": "2026-01-01T00:00:00Z"}}
    assert not find_violations(operation.input_schema, good)
    assert find_violations(operation.input_schema, {"body": {"customer": "Ann", "lines": []}})
    assert find_violations(operation.input_schema, {"body": {"customer": "Ann", "lines": [{}]}, "other": 1})


def test_an_operation_goes_through_its_json_unchanged() -> None:
    for name in ("listOrders", "createOrder", "getOrder", "deleteOrder", "changeOrder"):
        operation = read_operation(DOCUMENT, name)
        assert ApiOperation.model_validate_json(operation.model_dump_json()) == operation


@pytest.mark.parametrize(
    ("name", "kind", "header"),
    [
        ("listOrders", "bearer", "authorization"),
        ("getOrder", "basic", "authorization"),
        ("deleteOrder", "header", "X-Api-Key"),
    ],
)
def test_credentials_are_sent_as_the_document_says(name: str, kind: str, header: str) -> None:
    auth = read_operation(DOCUMENT, name).auth
    assert auth is not None and (auth.kind, auth.header) == (kind, header)


def test_no_credential_is_sent_where_none_is_wanted() -> None:
    assert read_operation(DOCUMENT, "changeOrder").auth is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nothing", "no operation 'nothing'"),
        ("upload", "multipart/form-data"),
        ("cookies", "cookie"),
        ("broken", "{b}"),
        ("mutual", "wants mtls"),
        ("elsewhere", "another document"),
        ("lost", "leads nowhere"),
        ("around", "leads to itself"),
    ],
)
def test_what_a_tool_can_not_do_is_told(name: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told.replace("{", r"\{")):
        read_operation(DOCUMENT, name)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "swagger: '2.0'", "openapi: 4.0.0", "a: &a [*a]", "!!python/object:os.x {}", "openapi: 3"]
)
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        read_document(text)


@pytest.mark.parametrize(
    "url", ["/v1", "ftp://x.example", "https://user:p@x.example", "https://{region}.x.example", ""]
)
def test_a_server_has_a_whole_address(url: str) -> None:
    document = {**DOCUMENT, "servers": [{"url": url}]}
    with pytest.raises(ConfigurationError, match="not a whole address"):
        read_operation(document, "listOrders")
    assert read_operation(document, "listOrders", url="https://x.example/v2/").server == "https://x.example/v2"


def test_a_document_of_3_1_says_null_and_bounds_as_json_schema_does() -> None:
    properties = {"n": {"type": "number", "exclusiveMinimum": 0}, "c": {"const": None}}
    content = {"application/json": {"schema": {"type": ["object", "null"], "properties": properties}}}
    document = {
        "openapi": "3.1.0",
        "servers": [{"url": "https://x.example"}],
        "paths": {"/a": {"post": {"requestBody": {"content": content}}}},
    }
    body = read_operation(document, "POST /a").input_schema["properties"]["body"]
    assert body == {"type": ["object", "null"], "properties": properties}


def test_a_schema_that_explodes_is_refused() -> None:
    schemas = {f"s{n}": {"properties": {f"p{m}": {"$ref": f"#/x/s{n + 1}"} for m in range(9)}} for n in range(20)}
    document = {
        "openapi": "3.0.0", "servers": [{"url": "https://x.example"}], "x": {**schemas, "s20": {}},
        "paths": {"/a": {"put": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/x/s0"}}}}}}},
    }  # fmt: skip
    with pytest.raises(ConfigurationError, match="too large"):
        read_operation(document, "PUT /a")


@pytest.mark.parametrize(
    ("given", "name"),
    [("listOrders", "list_orders"), ("GET /a/{b}", "get_a_b"), ("2fa", "call_2fa"), ("Ünï", "n"), ("x" * 99, "x" * 64)],
)
def test_names_of_tools_are_made_of_ids(given: str, name: str) -> None:
    assert make_tool_name(given) == name


def request(name: str, **arguments: object) -> str:
    return build_request(read_operation(DOCUMENT, name), arguments, "k" * 64).path


def test_lists_and_objects_are_written_as_the_document_says() -> None:
    found = request("listOrders", status=["open", "paid"], tags=["a b", "c,d"], filter={"city": "Bern"}, page_size=5)
    assert found == "/orders?status=open&status=paid&tags=a%20b,c%2Cd&filter%5Bcity%5D=Bern&page%5Bsize%5D=5"
    assert request("listOrders") == "/orders"


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("7", "/orders/7"),
        ("../admin", "/orders/..%2Fadmin"),
        ("..", "/orders/%2E%2E"),
        ("a?b#c%2f", "/orders/a%3Fb%23c%252f"),
        ("ü/\r\nx: y", "/orders/%C3%BC%2F%0D%0Ax:%20y"),
    ],
)
def test_a_part_of_the_path_stays_one_part(value: str, path: str) -> None:
    assert request("getOrder", order_id=value) == path


def test_what_can_not_stand_in_its_place_is_refused() -> None:
    for name, arguments in (("getOrder", {"order_id": ""}), ("getOrder", {}), ("listOrders", {"X_Trace": "a\r\nb: c"})):
        with pytest.raises(InvalidInput):
            request(name, **arguments)


def test_a_form_and_a_key_against_repeats_are_sent() -> None:
    form = build_request(
        read_operation(DOCUMENT, "changeOrder"), {"order_id": "7", "body": {"a": [1, "b&c"]}}, "k" * 64
    )
    assert (form.form, form.json_body) == ("a=1&a=b%26c", None)
    made = build_request(read_operation(DOCUMENT, "createOrder"), {"body": {"customer": None}}, "k" * 64)
    assert made.headers == {"Idempotency-Key": "k" * 64} and json.dumps(made.json_body) == '{"customer": null}'
