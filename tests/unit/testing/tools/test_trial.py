"""A tool is tried by itself as it would run in a deployment."""

from typing import Any

import pytest
from pydantic import BaseModel

from functions.tools.calculator import calculator
from functions.tools.notes import notes
from pentad.testing.tools import ScriptedHttp, ToolTrial
from pentad.tools.declare import ToolContext, tool


class Desk(BaseModel, frozen=True):
    host: str = "api.example.com"


@tool(effects="none", settings=Desk, secrets=["desk"], egress=["settings.host"])
def ask(question: str, context: ToolContext) -> dict[str, Any]:
    """Ask a host."""
    key = context.secret("desk").text
    host = context.settings_of(Desk).host
    answer = context.http.request("GET", f"https://{host}/", headers={"authorization": key}, params={"q": question})
    return {"status": answer.status, "said": answer.json(), "echo": key}


def test_arguments_are_checked_and_the_result_is_what_the_model_reads() -> None:
    trial = ToolTrial(calculator)
    assert trial.call(expression="6 * 7").value["result"] == "42"
    refused = trial.call(expresion="6 * 7")
    assert refused.is_error and refused.error_type == "InvalidInput" and "expression" in refused.text


def test_settings_secrets_and_hosts_are_what_the_test_says_and_a_secret_is_masked() -> None:
    http = ScriptedHttp([(200, ["yes"]), (503, "{}")])
    key = "ghp_0123456789abcdefghijABCDEFGHIJ"
    trial = ToolTrial(ask, secrets={"desk": key}, http=http, settings=Desk(host="other.example"))
    answer = trial.call(question="why")
    assert key not in answer.text and "[masked]" in answer.text
    assert http.asked[0]["url"] == "https://other.example/" and http.asked[0]["headers"] == {"authorization": key}
    assert "503" in trial.call(question="why").text


def test_what_the_test_does_not_say_is_told() -> None:
    said = ToolTrial(ask, http=ScriptedHttp([])).call(question="x")
    assert said.is_error and "the trial has no secret 'desk'" in said.text
    with pytest.raises(AssertionError, match="no answer left"):
        ScriptedHttp([]).request("GET", "https://x.example/")


def test_a_call_is_undone_and_each_call_has_records_of_its_own() -> None:
    trial = ToolTrial(notes)
    first, second = trial.call(title="a", text="one"), trial.call(title="b", text="two")
    assert not first.is_error and first.undo != second.undo
    store = trial.records.get_store("acme")
    assert len(store.query("NOTE", limit=10)) == 2
    trial.undo(first)
    assert len(store.query("NOTE", limit=10)) == 1
    with pytest.raises(AssertionError, match="nothing to undo"):
        trial.undo(ToolTrial(calculator).call(expression="1"))


@tool(effects="none", secrets=["desk"])
def stumble(context: ToolContext) -> int:
    """Read a number."""
    return int(context.secret("desk").fields["password"])


def test_a_secret_of_plain_words_is_masked_as_in_a_deployment_and_in_no_other_test() -> None:
    secret = '{"user": "ada", "password": "two words"}'
    said = ToolTrial(stumble, secrets={"desk": secret}).call()
    assert said.error_type == "ValueError" and "[masked]" in said.text
    assert "two words" not in said.text and "two\\u200b words" not in said.text
    http = ScriptedHttp([(200, ["two words"])])
    other = ToolTrial(ask, secrets={"desk": "another-key"}, http=http)
    answer = other.call(question="why")
    assert answer.value["said"] == ["two words"] and answer.value["echo"] == "[masked]"
