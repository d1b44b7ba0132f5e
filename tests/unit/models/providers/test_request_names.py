"""Headers that name a request and the span that it belongs to."""

from pentad.domain.models import CallContext
from pentad.domain.tracing import TraceContext, enter_place
from pentad.models.providers.request_names import HEADER, build_request_headers

CONTEXT = CallContext(tenant_id="acme", run_id="run_1", step=2)


def test_a_request_names_the_span_that_is_open_where_one_is() -> None:
    assert set(build_request_headers(CONTEXT)) == {HEADER}
    with enter_place(TraceContext("a" * 32, "b" * 16)):
        headers = build_request_headers(CONTEXT)
    assert headers["traceparent"] == f"00-{'a' * 32}-{'b' * 16}-01"
    assert "acme" not in str(headers)
