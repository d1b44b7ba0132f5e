"""Ann's call by every kind of caller: who may not reach it is answered as for a call that nobody has made."""

from typing import Any

import pytest

from pentad.api.mcp.protocol import INVALID_PARAMS
from pentad.domain.runs import RunStatus
from pentad.tools.results.handles import make_handle, make_key
from pentad.tools.results.read import READ_RESULT
from tests.unit.api.mcp.test_service import ADD, WITH_TASKS, ask
from tests.unit.api.served import ServedClient
from tests.unit.api.test_access import CALLERS, NOBODY_RUN, SEES_HERS

Json = dict[str, Any]
METHODS = ("tasks/get", "tasks/update", "tasks/cancel")


@pytest.mark.parametrize("kind", sorted(CALLERS))
def test_a_call_is_there_for_those_alone_who_may_reach_it(kind: str) -> None:
    who = CALLERS[kind]
    for method in METHODS:
        client = ServedClient(slow=True)
        made = ask(client, "tools/call", ADD, can=WITH_TASKS, caller=CALLERS["ann-key"])
        hers = {"taskId": made.json["result"]["taskId"], "inputResponses": {}}
        reply = ask(client, method, hers, can=WITH_TASKS, caller=who or {})
        nobodys = ask(client, method, hers | {"taskId": NOBODY_RUN}, can=WITH_TASKS, caller=who or {})
        if who is None:
            assert (reply.status, nobodys.status) == (401, 401)
        elif kind in SEES_HERS:
            assert (reply.status, nobodys.status) == (200, 400), (kind, method, reply.text)
        else:
            assert (reply.status, reply.text) == (400, nobodys.text), (kind, method)
            assert reply.json["error"]["code"] == INVALID_PARAMS
        [run] = client.get_runs()
        assert (run.status is RunStatus.CANCELLED) == (method == "tasks/cancel" and kind in SEES_HERS), (kind, method)


@pytest.mark.parametrize("kind", sorted(CALLERS))
def test_a_call_is_a_run_of_the_credentials_own_user(kind: str) -> None:
    who, client = CALLERS[kind], ServedClient()
    reply = ask(client, "tools/call", ADD, caller=who or {})
    if who is None:
        assert (reply.status, client.get_runs()) == (401, [])
        return
    started = list(client.world.engine.started.values())
    assert [one["tenant"] for one in started] == [who["tenant"]]
    if who["tenant"] == "acme":
        [run] = client.get_runs()
        assert run.user_id == (who["user"] or None)


@pytest.mark.parametrize("kind", sorted(kind for kind, who in CALLERS.items() if who is not None))
def test_the_whole_of_a_result_is_there_for_those_alone_who_may_reach_its_call(kind: str) -> None:
    client = ServedClient()
    made = ask(client, "tools/call", ADD, caller=CALLERS["ann-key"])
    run_id = made.json["result"]["_meta"]["pentad/run_id"]
    handle = make_handle("acme", run_id, 1, 0)
    client.services.whole.put(make_key("acme", run_id, 1, 0), b"hers")
    params: Json = {"name": READ_RESULT, "arguments": {"run_id": run_id, "handle": handle}}
    reply = ask(client, "tools/call", params, caller=CALLERS[kind] or {})
    [block] = reply.json["result"]["content"]
    assert ("hers" in block["text"]) == (kind in SEES_HERS), (kind, reply.text)
    assert reply.json["result"]["isError"] != (kind in SEES_HERS)


CHANGES = {"tasks/update": "approvals:write", "tasks/cancel": "runs:write"}


@pytest.mark.parametrize("kind", sorted(kind for kind, who in CALLERS.items() if who is not None))
@pytest.mark.parametrize("method", sorted(CHANGES))
def test_the_audit_of_a_run_holds_what_was_asked_by_those_who_may_change_it_only(kind: str, method: str) -> None:
    who = CALLERS[kind] or {}
    client = ServedClient(slow=True)
    made = ask(client, "tools/call", ADD, can=WITH_TASKS, caller=CALLERS["ann-key"])
    run_id = made.json["result"]["taskId"]
    ask(client, method, {"taskId": run_id, "inputResponses": {}}, can=WITH_TASKS, caller=who)
    may = kind in SEES_HERS and CHANGES[method] in str(who["scopes"]).split()
    assert bool(client.services.acts.list_for("acme", run_id)) == may
    assert client.services.acts.list_for(str(who["tenant"]), run_id) == client.services.acts.list_for(
        "acme", run_id
    ) * (who["tenant"] == "acme")


def test_a_run_that_is_not_served_and_a_scope_that_is_missing_leave_no_entry() -> None:
    client = ServedClient(slow=True)
    made = ask(client, "tools/call", ADD, can=WITH_TASKS, caller=CALLERS["ann-key"])
    run_id = made.json["result"]["taskId"]
    reads = {**(CALLERS["ann-key"] or {}), "scopes": "runs:read"}
    refused = ask(client, "tasks/cancel", {"taskId": run_id}, can=WITH_TASKS, caller=reads)
    assert refused.status >= 400
    assert client.services.acts.list_for("acme", run_id) == []
    own = client("POST", "/v1/runs", {"agent": "plain", "message": "Hi"}, caller=CALLERS["ann-key"])
    if own.status == 202:
        ask(client, "tasks/cancel", {"taskId": own.json["run_id"]}, can=WITH_TASKS, caller=CALLERS["ann-key"])
        assert client.services.acts.list_for("acme", own.json["run_id"]) == []
