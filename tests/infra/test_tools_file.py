"""``tools.yaml``: what a deployment says of its tools, and what is refused with file, line and fix."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from infra.tools.limits import replace_rates
from infra.tools.tools_file import read_tools_file
from pentad.domain.declarations.rates import Rate
from pentad.domain.errors import ConfigurationError
from pentad.tools.declare.declare import ToolContext, tool
from pentad.tools.declare.discovery import AnyTool


class Place(BaseModel, frozen=True):
    path: str


class MailSettings(BaseModel, frozen=True):
    host: str = Field(max_length=60)
    port: int = 587
    login: str | None = None
    place: Place | None = None
    tags: tuple[str, ...] = ()


class Quiet(BaseModel, frozen=True):
    level: int = 3


@tool(
    effects="external", settings=MailSettings, secrets=["smtp", "settings.login"], egress=["settings.host"], undo=None
)
def mail(context: ToolContext) -> str:
    """Doc."""
    return ""


@tool(effects="none", settings=Quiet, secrets=["crm"])
def quiet(context: ToolContext) -> str:
    """Doc."""
    return ""


@tool(effects="none")
def bare() -> str:
    """Doc."""
    return ""


TOOLS: dict[str, AnyTool] = {"mail": mail, "quiet": quiet, "bare": bare}


def read(folder: Path, text: str, tools: dict[str, AnyTool] | None = None) -> Any:
    (folder / "tools.yaml").write_text(text, encoding="utf-8")
    return read_tools_file(folder, TOOLS if tools is None else tools, prefix="pentad-dev")


def test_settings_and_secrets_reach_the_functions_environment(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "mail:\n  host: smtp.example.com\n  login: mail-login\n"
        "secrets:\n  smtp: {tenants: true}\n  crm: {name: shared/crm, tenants: [acme]}\n",
    )
    assert MailSettings.model_validate_json(found.build_environment("mail")["TOOL_SETTINGS"]) == MailSettings(
        host="smtp.example.com", login="mail-login"
    )
    assert found.build_environment("mail")["TOOL_SECRETS"] == (
        '{"smtp":{"secret":"pentad-dev/tools/smtp","tenants":true},'
        '"mail-login":{"secret":"pentad-dev/tools/mail-login","tenants":false}}'
    )
    assert found.build_environment("quiet")["TOOL_SETTINGS"] == '{"level":3}'
    assert found.build_environment("bare") == {}
    # The stack makes what the project does not name, and nothing where each tenant has its own.
    assert found.made == ["mail-login"]
    assert [found.has_own_secrets(name) for name in ("mail", "quiet", "bare")] == [True, True, False]


def test_a_project_without_the_file_has_the_defaults(tmp_path: Path) -> None:
    found = read_tools_file(tmp_path, {"quiet": quiet}, prefix="p")
    assert found.settings["quiet"] == Quiet() and found.made == ["crm"]


NEEDED = "mail:\n  host: h.example\n"


@pytest.mark.parametrize(
    ("text", "says", "fix"),
    [
        ("", "tools.yaml says nothing of the tool 'mail', which needs host", "write mail: with these fields"),
        ("mail:\n  host: a\n  host: b\n", "tools.yaml:3: 'host' is defined twice", "keep one"),
        ("mail: {host: a}\nmail: {host: b}\n", "tools.yaml:2: 'mail' is defined twice", "keep one"),
        ("- a\n", "must be a mapping", "sections"),
        ("mail: [\n", "tools.yaml:2", "YAML"),
        (f"{NEEDED}maill:\n  host: b\n", "tools.yaml:3: maill: no tool 'maill'", "write mail"),
        (f"{NEEDED}3: 4\n", "no tool '3'", "remove it"),
        (f"{NEEDED}bare:\n  a: 1\n", "tools.yaml:3: bare: the tool declares no settings", "add settings="),
        ("mail: smtp.example.com\n", "these are not fields", "field: value"),
        ("mail:\n  port: 25\n", "tools.yaml:1: mail.host: the field is missing", "write host:"),
        (f"{NEEDED}  prot: 25\n", "tools.yaml:3: mail.prot: no such field", "write port"),
        (f"{NEEDED}  place:\n    path: a\n    zzz: b\n", "tools.yaml:5: mail.place.zzz: no such", "remove"),
        (f"{NEEDED}  port: many\n", "tools.yaml:3: mail.port: Input should be a valid integer", "correct port"),
        ("mail:\n  host: no\n", "tools.yaml:2: mail.host: Input should be a valid string", "in quotes"),
        (f"mail:\n  host: {'x' * 61}\n", "at most 60", "correct host"),
        (
            "mail:\n  host: not a host\n",
            "tools.yaml:2: mail.host: 'not a host' is not a valid name of a host",
            "correct",
        ),
        (
            f"{NEEDED}  login: No Name\n",
            "tools.yaml:3: mail.login: 'No Name' is not a valid name of a secret",
            "correct",
        ),
        (f"{NEEDED}  port: x\n  prot: 1\n", "mail.prot: no such field", ""),
        (f"{NEEDED}  tags: ['ghp_0123456789abcdefghijABCDEFGHIJ']\n", "tools.yaml:3: mail.tags.0: the value looks", ""),
        (f"{NEEDED}  password: hunter2\n", "tools.yaml:3: mail.password: the value looks like a secret", "renew it"),
        ("mail:\n  host: 'https://ada:pw-123@h.example'\n", "looks like a secret", "Secrets Manager"),
        (f"{NEEDED}secrets:\n  smtpp: {{}}\n", "tools.yaml:4: secrets.smtpp: no deployed tool declares", "remove"),
        (f"{NEEDED}secrets:\n  smtp: {{names: a}}\n", "tools.yaml:4: secrets.smtp.names: Extra inputs", "use name"),
        (f"{NEEDED}secrets:\n  smtp: sk-ant-api03-0123456789abcdef\n", "looks like a secret", "renew it"),
        (f"{NEEDED}secrets:\n  smtp: [a]\n", "tools.yaml:4: secrets.smtp", "use name, key, tenants"),
        (f"{NEEDED}secrets:\n  smtp: {{tenants: [Acme]}}\n", "secrets.smtp.tenants", "use name"),
        (f"{NEEDED}secrets:\n  smtp: {{key: 'arn:aws:kms:eu:1:key/2'}}\n", "'key' needs 'name'", "add name:"),
        (
            f"{NEEDED}secrets:\n  smtp: {{name: 'arn:aws:secretsmanager:eu:1:secret:x-abcdef', tenants: true}}\n",
            "this is an ARN",
            "write its name",
        ),
        (f"{NEEDED}secrets: smtp\n", "the section is not a mapping", "secrets:"),
        (
            f"{NEEDED}  tags: [{', '.join(['a-tag'] * 400)}]\n",
            "over the limit of 2,500",
            "shorten them",
        ),
    ],
)
def test_what_is_wrong_is_told_with_line_and_fix(tmp_path: Path, text: str, says: str, fix: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)
    assert says in caught.value.message
    assert fix in (caught.value.fix or "")
    assert "hunter2" not in str(caught.value) and "pw-123" not in str(caught.value)


def test_a_tool_that_is_not_deployed_may_stand_in_the_file_unless_it_holds_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.tools.tools_file.list_known", lambda tools: [*tools, "shipped"])
    assert read(tmp_path, "shipped:\n  anything: 1\n  secret: crm-login\n", {}).settings == {}
    with pytest.raises(ConfigurationError, match="looks like a secret"):
        read(tmp_path, "shipped:\n  key: ghp_0123456789abcdefghijABCDEFGHIJ\n", {})


def test_settings_that_json_changes_are_refused(tmp_path: Path) -> None:
    class Odd(BaseModel, frozen=True):
        value: str = Field(default="x", validation_alias="in", serialization_alias="out")

    @tool(effects="none", settings=Odd)
    def odd(context: ToolContext) -> str:
        """Doc."""
        return ""

    with pytest.raises(ConfigurationError, match="not the same when read back"):
        read(tmp_path, "odd:\n  in: y\n", {"odd": odd})


MAIL = "mail: {host: smtp.example.com}\n"


@tool(effects="none", rate_limit="30/minute per user, 1000/day per tenant")
def limited() -> str:
    """Doc."""
    return ""


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        ("5/hour per user", (Rate(calls=5, seconds=3600, scope="user"),)),
        ("90/minute per user", (Rate(calls=90, seconds=60, scope="user"),)),
        ("9/day, 2/minute", (Rate(calls=2, seconds=60), Rate(calls=9, seconds=86_400))),
    ],
)
def test_rates_of_the_file_stand_in_place_of_those_that_are_declared(
    tmp_path: Path, text: str, rates: tuple[Rate, ...]
) -> None:
    tools: dict[str, AnyTool] = {"limited": limited, "bare": bare}
    found = read(tmp_path, f'rate_limits:\n  limited: "{text}"\n  crm_find: 1/day\n', tools)
    assert found.rates == {"limited": rates}
    replaced = replace_rates(tools, found.rates)
    assert (replaced["limited"].spec.rates, replaced["bare"]) == (rates, bare)
    assert replaced["limited"]() == "" and replaced["limited"].reach == limited.reach
    assert [rate.calls for rate in limited.spec.rates] == [30, 1000]
    assert replace_rates(tools, read(tmp_path, "", tools).rates) == tools


@pytest.mark.parametrize(
    ("section", "says", "fix"),
    [
        ("  bear: 1/day", "no tool 'bear'", "write bare"),
        ("  bare: many", "'many' is not a rate", "write bare:"),
        ("  bare: 7", "not a rate", "write bare:"),
        ("  bare:", "not a rate", "write bare:"),
        ("  bare: 0/day", "'0/day' is not a rate", "write bare:"),
        ("  bare: 1/day per agent", "'agent' is not a scope", "write bare:"),
        ("  bare: 1/day, 2/day", "two rates per tenant and day", "write bare:"),
        ("  - bare", "not a mapping", "write names"),
    ],
)
def test_what_is_wrong_with_a_rate_is_told_with_line_and_fix(tmp_path: Path, section: str, says: str, fix: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, f"{MAIL}rate_limits:\n{section}\n")
    assert says in caught.value.message
    assert "tools.yaml:" in caught.value.message
    assert fix in str(caught.value.fix)


def test_a_rate_that_a_graph_would_not_keep_is_refused(tmp_path: Path) -> None:
    from pentad.tools.graphs.adapters.langgraph_tool import from_langgraph

    def build(model: Any, tools: Any) -> Any:
        raise NotImplementedError

    research = from_langgraph(build, name="research", description="Research.", effects="none", tools=[bare])
    tools: dict[str, AnyTool] = {"bare": bare, "research": research}
    with pytest.raises(ConfigurationError, match="the graph 'research' calls it too, where nothing keeps a rate"):
        read(tmp_path, "rate_limits:\n  bare: 5/day\n", tools)
    assert read(tmp_path, "rate_limits:\n  research: 5/day\n", tools).rates.keys() == {"research"}


def test_no_tool_has_the_name_of_a_section(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"rate_limits\.py has the name of a section"):
        read(tmp_path, "", {"rate_limits": bare})
