"""What a tool may declare to need beside its code, and what is refused, with words that say how to put it right."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from pentad.domain.errors import ConfigurationError
from pentad.tools.declare.context import Undoable
from pentad.tools.declare.declare import Grant, ToolContext, tool
from pentad.tools.declare.reach import check_resolved, resolve_names
from pentad.tools.outside.ports import Credential
from tests.unit.tools.worlds import World, context_for


class MailSettings(BaseModel, frozen=True):
    host: str
    port: int = 587
    login: str | None = None
    mirrors: tuple[str, ...] = ()


class Loose(BaseModel):
    host: str


class Leaky(BaseModel, frozen=True):
    password: str


class Hidden(BaseModel, frozen=True):
    word: SecretStr | None = None


class Named(BaseModel, frozen=True):
    secret: str


def send(text: str, context: ToolContext) -> str:
    """Doc."""
    return text


def plain(text: str) -> str:
    """Doc."""
    return text


def take_back(data: dict[str, Any], context: ToolContext) -> None:
    """Undo."""


def undoable(text: str) -> Undoable[str]:
    """Doc."""
    return Undoable(text, undo={})


GOOD: list[dict[str, Any]] = [
    {"settings": MailSettings, "secrets": ["smtp", "a-2"], "egress": ["settings.host"], "packages": ["icalendar"]},
    {"settings": Named, "secrets": ["settings.secret"]},
    {"egress": ["api.hubapi.com", "*.example.com", "https://x.example:8443/base", "localhost:8080", "127.0.0.1"]},
    {"egress": ("public",)},
    {"settings": MailSettings, "egress": ["settings.mirrors"]},
    {},
]


@pytest.mark.parametrize("options", GOOD)
def test_what_is_declared_stands_on_the_tool(options: dict[str, Any]) -> None:
    made = tool(effects="external", **options)(send)
    assert made.settings is options.get("settings")
    for option in ("secrets", "egress", "packages"):
        assert getattr(made, option) == tuple(options.get(option, ()))


@pytest.mark.parametrize(
    ("function", "options", "says"),
    [
        (send, {"settings": dict}, "is not a pydantic model"),
        (send, {"settings": MailSettings(host="x")}, "is not a pydantic model"),
        (send, {"settings": BaseModel}, "is not a pydantic model"),
        (send, {"settings": Loose}, "class Loose(BaseModel, frozen=True)"),
        (send, {"settings": Leaky}, "the field 'password' of Leaky would hold a secret"),
        (send, {"settings": Hidden}, "the field 'word' of Hidden would hold a secret"),
        (send, {"settings": Named}, "the field 'secret' of Named would hold a secret"),
        (send, {"secrets": "smtp"}, "secrets must be a list, got 'smtp'"),
        (send, {"secrets": {"smtp": "x"}}, "must be a list, got"),
        (send, {"secrets": [None]}, "secrets holds None"),
        (send, {"secrets": ["SMTP"]}, "small letters, digits and dashes"),
        (send, {"secrets": ["smtp/acme"]}, "small letters, digits and dashes"),
        (send, {"secrets": ["smtp*"]}, "small letters, digits and dashes"),
        (send, {"secrets": ["smtp\n"]}, "small letters, digits and dashes"),
        (send, {"secrets": ["s" * 65]}, "at most 64"),
        (send, {"secrets": [f"s{number}" for number in range(51)]}, "name at most 50"),
        (send, {"secrets": ["settings.host"]}, "the tool has no settings"),
        (send, {"egress": ["settings.url"], "settings": MailSettings}, "has no such field (it has host, port"),
        (send, {"egress": ["settings."], "settings": MailSettings}, "has no such field"),
        (send, {"egress": ["settings.host.name"], "settings": MailSettings}, "has no such field"),
        (send, {"egress": "public"}, "egress must be a list, got 'public'"),
        (send, {"egress": ["*"]}, "a host is written"),
        (send, {"egress": ["*.*.example.com"]}, "a host is written"),
        (send, {"egress": ["ftp://example.com"]}, "a host is written"),
        (send, {"egress": ["https://ada:pw@example.com"]}, "a host is written"),
        (send, {"egress": ["example.com/a b"]}, "a host is written"),
        (send, {"egress": ["Example.com"]}, "a host is written"),
        (send, {"egress": [""]}, "a host is written"),
        (send, {"egress": ["public", "example.com"]}, "write egress=['public'] alone"),
        (send, {"packages": ["icalendar==6.0"]}, "without a version"),
        (send, {"packages": ["iCalendar"]}, "small letters"),
        (send, {"packages": ["../x"]}, "small letters"),
        (plain, {"secrets": ["smtp"]}, "it declares secrets, which nothing can use"),
        (plain, {"settings": MailSettings}, "add the parameter context: ToolContext, or drop settings"),
    ],
)
def test_a_wrong_option_is_refused_with_what_and_fix(
    function: Callable[..., Any], options: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        tool(effects="external", **options)(function)
    assert says in f"{caught.value.message}. {caught.value.fix}"
    assert "test_reach.py:" in caught.value.message and caught.value.fix


def test_packages_need_no_context_and_an_undo_has_one() -> None:
    assert tool(effects="none", packages=["icalendar"])(plain).packages == ("icalendar",)
    assert tool(effects="external", secrets=["smtp"], undo=take_back)(undoable).secrets == ("smtp",)


def test_hosts_hold_a_tool_without_a_context_too_and_none_is_more_than_nothing() -> None:
    for egress, hosts, holds in ((["example.com"], ("example.com",), True), ([], (), True), (None, (), False)):
        made = tool(effects="none", egress=egress)(plain)
        assert (made.egress, made.holds_connections) == (hosts, holds)


def test_what_comes_from_a_host_is_text_from_outside_unless_the_author_says_otherwise() -> None:
    assert not tool(effects="none", egress=["example.com"])(send).spec.trusted_output
    assert tool(effects="none", egress=["example.com"], trusted_output=True)(send).spec.trusted_output
    assert tool(effects="none")(send).spec.trusted_output


def test_what_is_read_of_files_is_text_from_outside_unless_the_author_says_otherwise() -> None:
    files = [Grant("files", "readwrite", keys="in/")]
    assert not tool(effects="internal", permissions=files)(send).spec.trusted_output
    assert tool(effects="internal", permissions=files, trusted_output=True)(send).spec.trusted_output
    records = [Grant("records", "read", keys="NOTE")]  # each says by itself what it holds
    assert tool(effects="none", permissions=records)(send).spec.trusted_output


def test_names_are_taken_from_the_settings() -> None:
    values = MailSettings(host="smtp.example.com", mirrors=("a.example", "b.example"))
    given = ["x.example", "settings.host", "settings.login", "settings.mirrors"]
    assert resolve_names(given, values) == ("x.example", "smtp.example.com", "a.example", "b.example")
    assert resolve_names(["settings.host"], None) == ()


@pytest.mark.parametrize(
    ("host", "wrong"), [("mail.example", None), ("https://Mail.example/x", None), ("a b", "host"), ("x@y", "host")]
)
def test_a_setting_that_is_no_host_is_told(host: str, wrong: str | None) -> None:
    reach = tool(effects="external", settings=MailSettings, egress=["settings.host"])(send).reach
    found = check_resolved(reach, MailSettings(host=host))
    assert (found and found[0]) == wrong


def test_a_context_gives_what_is_declared_and_nothing_else() -> None:
    with pytest.raises(ConfigurationError, match="asks for MailSettings"):
        context_for().settings_of(MailSettings)
    with pytest.raises(ConfigurationError, match="'smtp' but does not declare it"):
        context_for().secret("smtp")
    with pytest.raises(ConfigurationError, match="HTTP is not available"):
        _ = context_for().http


class Store:
    """Answers with what it was asked for."""

    def get(self, tenant_id: str, name: str) -> Credential:
        return Credential(f"{tenant_id}:{name}")


def test_a_call_gets_settings_and_the_secret_that_they_name_of_its_tenant() -> None:
    @tool(effects="none", settings=Named, secrets=["settings.secret"], safe_output=["*"])
    def ask(context: ToolContext) -> str:
        """Doc."""
        return context.secret(context.settings_of(Named).secret).text

    world = World(ask, settings=Named(secret="crm"), secrets=Store())
    world.add_call({})
    world.execute()
    assert world.call.result == "acme:crm"


def test_a_secret_that_is_not_declared_and_one_without_a_store_are_told() -> None:
    @tool(effects="none", secrets=["crm"])
    def ask(name: str, context: ToolContext) -> str:
        """Doc."""
        return context.secret(name).text

    for name, says in (("crm", "secrets can't be read here"), ("other", "'other' but does not declare it")):
        world = World(ask)
        world.add_call({"name": name})
        world.execute()
        assert world.call.is_error and says in (world.call.result or "")


def test_a_host_that_is_not_declared_has_no_client_even_where_there_is_one() -> None:
    @tool(effects="none")
    def ask(context: ToolContext) -> str:
        """Doc."""
        return str(context.http)

    world = World(ask, outside=object())
    world.add_call({})
    world.execute()
    assert world.call.is_error and "HTTP is not available" in (world.call.result or "")
