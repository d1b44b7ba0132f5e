"""A remote tool's approval by rule: what YAML says is what `@tool` takes, and is held against the reviewed schema."""

from typing import Any

import pytest
import yaml

from pentad.domain.declarations.approval_rules import (
    Ask,
    AskWhenSum,
    among,
    ends_with,
    for_tenants,
    for_users,
    has_taint,
    over,
    under,
    unsure,
)
from pentad.domain.errors import ConfigurationError
from pentad.tools.mcp.deployed import declare_remote_tools
from pentad.tools.mcp.lock_file import LockedServer, McpLock
from pentad.tools.mcp.messages import MODERN
from pentad.tools.mcp.pinning import pin_tool
from pentad.tools.mcp.project_file import McpFile

URL = "https://mcp.example.com/mcp"
REFUND = {
    "name": "refund",
    "description": "Refund.",
    "inputSchema": {
        "type": "object",
        "properties": {
            "amount": {"type": "number"},
            "currency": {"type": "string", "enum": ["EUR", "USD"]},
            "lines": {"type": "array"},
        },
    },
}
LOCK = McpLock(servers={"shop": LockedServer(url=URL, revision=MODERN, tools=(pin_tool("shop", REFUND),))})


def declare(tool: str = "{}", server: str = "") -> Any:
    text = f"servers:\n  shop:\n    url: {URL}\n{server}    tools:\n      refund: {tool}\n"
    [found] = declare_remote_tools(McpFile.model_validate(yaml.safe_load(text)), LOCK).values()
    return found.spec


@pytest.mark.parametrize(
    ("said", "rules"),
    [
        ("{over: amount, limit: 50}", [Ask(when=over("amount", 50))]),
        ("[{over: amount, limit: 0.1}]", [Ask(when=over("amount", "0.1"))]),
        ("[{under: amount, limit: '0'}]", [Ask(when=under("amount", 0))]),
        ("[{among: currency, words: [EUR, USD]}]", [Ask(when=among("currency", ["EUR", "USD"]))]),
        ("[{ends_with: currency, words: R}]", [Ask(when=ends_with("currency", "R"))]),
        ("[{for_users: ada}, {for_tenants: [acme]}]", [Ask(when=for_users("ada")), Ask(when=for_tenants("acme"))]),
        ("[{has_taint: any}, {has_taint: [documents]}]", [Ask(when=has_taint()), Ask(when=has_taint("documents"))]),
        ("[{unsure: 0.8}]", [Ask(when=unsure(0.8))]),
        (
            "[{when: [{over: amount, limit: 5}, {has_taint: any}], unless: {among: currency, words: [EUR]}}]",
            [Ask(when=(over("amount", 5), has_taint()), unless=among("currency", ["EUR"]))],
        ),
        ("[{sum: amount, above: 200}]", [AskWhenSum("amount", above=200)]),
        (
            "[{sum: amount, above: 0.3, per: tenant, every: month, currency: currency}]",
            [AskWhenSum("amount", above="0.3", per="tenant", every="month", currency="currency")],
        ),
    ],
)
def test_rules_are_those_of_a_tool_in_python(said: str, rules: list[Any]) -> None:
    assert declare(f"{{approval: {said}}}").approval == tuple(rules)
    assert declare(server=f"    approval: {said}\n").approval == tuple(rules)


def test_a_tools_own_word_stands_before_its_servers_rules() -> None:
    rules = "    approval: [{over: amount, limit: 50}]\n"
    assert declare("{approval: never}", rules).approval == "never"
    assert declare("{approval: [{over: amount, limit: 5}]}", rules).approval == (Ask(when=over("amount", 5)),)
    assert (declare().approval, declare(server="    approval: null\n").approval) == ("always", "always")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("sometimes", "write never, always, or a list of rules"),
        ("[]", "write never, always, or a list of rules"),
        ("[never]", "is no rule"),
        ("{above: amount}", "is no condition: one has over"),
        ("{over: amount}", "limit"),
        ("{over: amount, limit: .nan}", "limit"),
        ("{over: amount, limit: 5, currency: EUR}", "has no 'currency'"),
        ("{over: 'a b', limit: 5}", "argument"),
        ("{among: currency}", "words"),
        ("{sum: amount}", "above"),
        ("{sum: amount, above: 5, per: planet}", "per"),
        ("{sum: amount, limit: 5}", "has no 'limit'"),
        ("{unsure: 7}", "below"),
        ("{when: []}", "when"),
        ("{unless: [{has_taint: any}]}", "when"),
        ("{when: 5}", "no list of conditions"),
        ("{when: [{has_taint: any}], unless: 0}", "no list of conditions"),
        ("{when: {has_taint: any}, unless: ''}", "no list of conditions"),
        ("{among: currency, words: 5}", "'words' in"),
        ("{among: currency, words: true}", "write words: [EUR, USD]"),
        ("{among: currency, words: {EUR: 1, USD: 2}}", "write words: [EUR, USD]"),
        ("{among: currency, words: [EUR, no]}", "yes and no in quotes"),
        ("{among: currency, words: [[EUR]]}", "'words' in"),
        ("{ends_with: currency, words: []}", "'words' in"),
        ("{ends_with: currency, words: 2026-01-01}", "'words' in"),
        ("{for_users: 7}", "write for_users: [ada"),
        ("{for_users: {ada: yes}}", "write for_users: [ada"),
        ("{for_tenants: [1234]}", "write for_tenants: [acme"),
        ("{for_tenants: null}", "'for_tenants' in"),
        ("{has_taint: true}", "has_taint: any"),
        ("{has_taint: []}", "has_taint: any"),
        ("{has_taint: {documents: mail}}", "has_taint: any"),
        ("{when: {over: amount, limit: 5}, unless: {for_users: 7}}", "write for_users: [ada"),
        ("{over: amount, limit: true}", "is no number"),
        ("{over: amount, limit: {a: 1}}", "limit"),
        ("{over: [amount], limit: 5}", "argument"),
        ("{sum: {amount: 1}, above: 5}", "argument"),
        ("{sum: amount, above: no}", "is no number"),
        ("{unsure: yes}", "is no number"),
        ("{unsure: [0.5]}", "below"),
        ("5", "write never"),
    ],
)
def test_what_is_no_rule_is_told(said: str, told: str) -> None:
    with pytest.raises(ValueError, match="approval") as caught:
        declare(f"{{approval: {said}}}")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("{over: price, limit: 5}", "the tool has no argument 'price'"),
        ("{over: currency, limit: 5}", "of the type string"),
        ("{among: amount, words: ['5']}", "of the type number"),
        ("{sum: lines, above: 5}", "of the type array"),
        ("{sum: amount, above: 5, currency: amount}", "of the type number"),
        ("[{sum: amount, above: 5}, {sum: amount, above: 9}]", "two rules over the same sum"),
    ],
)
def test_a_rule_about_what_was_not_reviewed_is_refused(said: str, told: str) -> None:
    for given in ({"tool": f"{{approval: {said}}}"}, {"server": f"    approval: {said}\n"}):
        with pytest.raises(ConfigurationError, match=r"servers\.shop\.tools\.refund") as caught:
            declare(**given)
        assert told in caught.value.message


def test_fields_that_look_like_secrets_may_be_said_to_be_safe_and_stay_text_from_outside() -> None:
    spec = declare("{safe_output: [next_token]}")
    assert (spec.safe_output, spec.trusted_output) == (("next_token",), False)
