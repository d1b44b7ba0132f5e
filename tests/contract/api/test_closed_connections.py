"""What the command line's client does where a server closes a connection that it has just taken."""

import pytest

from pentad.cli.client import ApiClient
from pentad.cli.console import CommandError
from twin.servers.loopback import LoopbackServer
from twin.servers.messages import ConnectionCut, Request, Response, json_response


@pytest.mark.parametrize(("method", "cuts", "asked"), [("GET", 1, 2), ("GET", 2, 2), ("POST", 1, 1), ("DELETE", 1, 1)])
def test_only_what_reads_is_asked_again_where_the_server_closes_the_connection(
    method: str, cuts: int, asked: int
) -> None:
    seen: list[str] = []

    def answer(request: Request) -> Response:
        seen.append(request.method)
        if len(seen) <= cuts:
            raise ConnectionCut
        return json_response(200, {"run_id": "run_1"})

    server = LoopbackServer(answer, name="api")
    url = server.bind()
    server.start()
    client = ApiClient(url, "key")
    try:
        if asked > cuts:
            assert client.call(method, "/v1/runs/run_1") == {"run_id": "run_1"}
        else:
            with pytest.raises(CommandError, match=r"does not answer \(RemoteProtocolError\)"):
                client.call(method, "/v1/runs/run_1")
    finally:
        client.close()
        server.stop()
    assert seen == [method] * asked
