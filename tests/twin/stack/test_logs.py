"""`pentad logs`: a run's lines over all functions that took part, and nothing of what was said in them."""

import json
import re
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from typer.testing import CliRunner

from pentad.cli import operator
from pentad.cli.main import app
from pentad.observability.logs.schema import find_line_faults
from tests.twin.graphs.span_lines import list_log_groups
from tests.twin.stack.world import Json, Stack, Tenant, until, word

pytestmark = pytest.mark.twin

_METHODS = frozenset({"get", "post", "put", "patch", "delete"})
PLANTED = ("4111 1111 1111 1111", "ada@lighthouse.example", "DE89 3704 0044 0532 0130 00", "sk-ant-" + "a1" * 12)


@pytest.fixture
def read_lines(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, list[Json]]]:
    """The command on this twin, in JSON."""
    monkeypatch.setattr(operator, "read_twin_facts", lambda: stack.facts)

    def run(*arguments: str) -> tuple[int, list[Json]]:
        done = CliRunner().invoke(app, ["--json", "logs", *arguments])
        rows = done.stdout.splitlines() if "--follow" in arguments else [done.stdout]
        return done.exit_code, [line for row in rows for line in _read(row)]

    return run


def _read(row: str) -> list[Any]:
    found = json.loads(row)
    return found if isinstance(found, list) else [found]


def test_a_runs_lines_of_all_functions_are_found_and_hold_nothing_that_was_said(
    stack: Stack, tenant: Tenant, read_lines: Callable[..., tuple[int, list[Json]]]
) -> None:
    run = tenant.ask(f"What is 20 + 22? My card is {PLANTED[0]}, write to {', '.join(PLANTED[1:])}.")["run_id"]
    code, lines = read_lines(run, "--follow", "--wait", "60", "--tenant", tenant.name)
    assert code == 0
    assert {"gateway", "recall", "deliver"} <= {line["service"] for line in lines}
    own = [line for line in lines if "run" in line]
    assert {line["tenant"] for line in own} == {tenant.name}
    assert all({"session", "agent", "step"} <= set(line) for line in own if line.get("op") == "think")
    assert {line["attempt"] for line in own if line["message"].startswith("chat ")} == {1}
    raw = [{name: value for name, value in line.items() if name not in {"at", "group"}} for line in own]
    assert [fault for line in raw for fault in find_line_faults(json.dumps(line))] == []
    said = "".join(map(json.dumps, lines))
    assert not [one for one in PLANTED if one in said]
    assert until(lambda: read_lines(run)[1], "the lines")[0]["at"] <= lines[-1]["at"]
    assert read_lines(run, "--tenant", "nobody") == (1, [])


def _plant() -> Json:
    """Return a value of each kind that no other place has."""
    digits = "4" + "".join(secrets.choice("0123456789") for _ in range(14))
    doubled = sum(sum(divmod(2 * int(one), 10)) for one in digits[::-2]) + sum(map(int, digits[-2::-2]))
    return {
        "email": f"{word('ada.')}@lighthouse.example",
        "card": f"{digits}{-doubled % 10}",
        "key": f"ghp_{secrets.token_hex(18)}",
        "phone": f"+49170{secrets.randbelow(10**8):08d}",
    }


class Planting:
    """What was planted, with its kind and place."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.places: dict[str, str] = {}

    def plant(self, place: str) -> str:
        """Return a value that is in this place alone."""
        value = str(_plant()[self.kind])
        self.places[value] = f"{self.kind} in {place}"
        return value

    def fill(self, path: str) -> str:
        """Return a route's path with values for its parameters and in a query."""
        filled = re.sub(r"\{\w+\}", lambda _: quote(self.plant(path), safe=""), path)
        return f"{filled}?{quote(self.plant('query name'), safe='')}=1&cursor={quote(self.plant('cursor'), safe='')}"


@pytest.mark.parametrize("kind", list(_plant()))
def test_what_is_planted_in_any_place_of_a_request_is_in_no_line_span_or_metric(
    stack: Stack, tenant: Tenant, kind: str
) -> None:
    planting = Planting(kind)
    plant = planting.plant
    described = tenant.get("/v1/openapi.json")["paths"]
    routes = [(method, path) for path, item in described.items() for method in item if method in _METHODS]
    assert len(routes) > 40
    for method, path in routes:
        headers = {name: plant(name) for name in ("idempotency-key", "traceparent", "user-agent", "referer")}
        body = {plant("field"): plant("value"), "agent": plant("agent"), "message": 1}
        content = {} if method in ("get", "delete") else {"json": body}
        tenant.send(method.upper(), planting.fill(path), headers, **content)
    stack.http.get("/v1/runs", headers={"authorization": f"Bearer {plant('bearer')}"})
    said = tenant.ask(f"What is 2 + {plant('message')}?", user="ada@lighthouse.example")
    tenant.post(f"/v1/runs/{said['run_id']}/feedback", {"score": 0, "comment": plant("comment")})
    tenant.ingest(f"{word()}.md", f"# {plant('title')}\n\n{plant('text')}")
    last = tenant.ask("What is 20 + 22?")["run_id"]
    text = until(lambda: _read_all(stack, last), "the last run's lines")
    listed = stack.aws("cloudwatch").get_paginator("list_metrics").paginate()
    text += json.dumps([one for page in listed for one in page["Metrics"]], default=str)
    spelt = {form: place for value, place in planting.places.items() for form in (value, quote(value, safe=""))}
    assert [place for form, place in spelt.items() if form in text] == []
    assert tenant.name in text


def _read_all(stack: Stack, word_of_last: str) -> str | None:
    """Return all lines, or None while one is not there yet."""
    pages = stack.aws("logs").get_paginator("filter_log_events")
    found = (page for group in list_log_groups(stack.aws("logs")) for page in pages.paginate(logGroupName=group))
    text = "\n".join(event["message"] for page in found for event in page["events"])
    return text if word_of_last in text else None
