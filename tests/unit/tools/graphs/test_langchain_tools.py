"""A LangChain tool as a tool of ours: declaration, arguments, result, errors."""

import asyncio
import re
from collections.abc import Callable
from typing import Annotated, Any

import pytest

pytest.importorskip("langchain_core", reason="the extra `graphs` is not installed")

from langchain_core.tools import BaseTool, InjectedToolArg, InjectedToolCallId, StructuredTool, ToolException, tool
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, create_model, field_validator

from pentad.domain.declarations.approval_rules import Ask, over
from pentad.domain.errors import ConfigurationError
from pentad.tools.declare.discovery import load_tool
from pentad.tools.graphs.adapters.langchain_tools import from_langchain
from tests.unit.tools.worlds import World

KEY = "sk-ant-" + "a1" * 12


class Place(BaseModel):
    """Where."""

    city: str = Field(description="the city's name")
    days: int = Field(default=1, ge=1, le=7)


@tool(args_schema=Place)
def weather(city: str, days: int) -> dict[str, Any]:
    """Tell the weather of a city."""
    return {"city": city, "days": days}


def world_of(given: BaseTool, **options: Any) -> World:
    return World(from_langchain(given, **({"effects": "none"} | options)))


def result_of(given: BaseTool, arguments: dict[str, Any], **options: Any) -> World:
    world = world_of(given, **options)
    world.add_call(arguments)
    world.execute()
    return world


def test_name_description_and_arguments_are_kept() -> None:
    spec = from_langchain(weather, effects="none").spec
    assert (spec.name, spec.description) == ("weather", "Tell the weather of a city.")
    assert spec.input_schema["required"] == ["city"]
    assert spec.input_schema["properties"]["city"]["description"] == "the city's name"
    assert spec.input_schema["additionalProperties"] is False


def test_it_is_a_tool_of_the_module_that_declares_it_with_the_layer_it_needs() -> None:
    made = from_langchain(weather, effects="external", approval="always")
    assert made.module == __name__
    assert made.needs == {"langchain"}
    assert (made.spec.approval, made.spec.effects) == ("always", "external")


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({"secrets": ["key"]}, "secrets= has no effect here"),
        ({"egress": ["settings.host"]}, "a wrapped tool has no settings"),
        ({"egress": "public"}, "egress must be a list, got 'public'"),
        ({"settings": Place}, "settings= has no effect here"),
        ({"pacages": ["pyyaml"]}, "no option 'pacages'"),
        ({"packages": "pyyaml"}, "packages must be a list, got 'pyyaml'"),
    ],
)
def test_an_option_that_its_code_could_not_use_is_refused(option: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(says)) as caught:
        from_langchain(weather, effects="none", **option)
    assert caught.value.fix


class Paid(BaseModel):
    to: str
    copies: list[str] = Field(default_factory=lambda: ["boss@x.org"])


class Account(BaseModel):
    iban: str

    @field_validator("iban")
    @classmethod
    def _check(cls, value: str) -> str:
        raise ValueError(f"no IBAN: {value}")


CASES: list[dict[str, Any]] = [{"effects": "external"}, {"effects": "none", "approval": "always"}, {"effects": "none"}]


@pytest.mark.parametrize("options", CASES)
def test_a_default_that_no_approver_could_be_shown_is_refused(options: dict[str, Any]) -> None:
    given = StructuredTool.from_function(lambda to, copies: to, name="pay", description="Pay.", args_schema=Paid)
    with pytest.raises(ConfigurationError, match="the default of 'copies'"):
        from_langchain(given, **options)
    assert from_langchain(weather, **options).name == "weather"


def pay(to: str, amount: int = 5) -> str:
    """Pay."""
    return f"{amount} to {to}"


def pay_from(to: str, account: Annotated[str, InjectedToolArg] = "main") -> str:
    """Pay."""
    return f"{to} from {account}"


def pay_if(to: str, note: Annotated[str | None, InjectedToolArg] = None) -> str:
    """Pay."""
    return f"{to}{note or ''}"


TO: dict[str, Any] = {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"]}
AMOUNT: dict[str, Any] = {"amount": {"type": "integer"}}


@pytest.mark.parametrize("options", CASES)
@pytest.mark.parametrize(
    ("function", "schema", "name"),
    [
        (pay, TO | {"properties": TO["properties"] | AMOUNT}, "amount"),
        (pay, TO | {"properties": TO["properties"] | {"amount": {"type": "integer", "default": 7}}}, "amount"),
        (pay, TO, "amount"),
        (pay_from, None, "account"),
    ],
)
def test_a_default_that_no_schema_holds_is_refused(
    function: Callable[..., str], schema: Any, name: str, options: dict[str, Any]
) -> None:
    given = StructuredTool.from_function(function, name="pay", args_schema=schema)
    with pytest.raises(ConfigurationError, match=f"the default of '{name}' is not in its schema") as caught:
        from_langchain(given, **options)
    assert caught.value.fix


def test_a_default_of_nothing_or_in_the_schema_or_never_used_is_taken() -> None:
    shown = TO | {"properties": TO["properties"] | {"amount": {"type": "integer", "default": 5}}}
    needed = TO | {"properties": TO["properties"] | AMOUNT, "required": ["to", "amount"]}
    for function, schema in ((pay, shown), (pay, needed), (pay, None), (pay_if, None)):
        given = StructuredTool.from_function(function, name="pay", args_schema=schema)
        assert from_langchain(given, effects="none", approval="always").name == "pay"


@pytest.mark.parametrize("alias", [AliasChoices("sum", "total"), AliasPath("sums", 0), "sum"])
def test_an_argument_that_is_shown_by_a_name_that_is_not_taken_is_refused(alias: Any) -> None:
    made = create_model("Made", to=(str, ...), amount=(int, Field(default=5, validation_alias=alias)))
    given = StructuredTool.from_function(pay, name="pay", args_schema=made)
    assert given.invoke({"to": "Ada", "amount": 9}) == "5 to Ada"  # why it is refused
    with pytest.raises(ConfigurationError, match="shows 'amount', and takes it by another name"):
        from_langchain(given, effects="none", approval="always")
    both = create_model(
        "Both", __config__=ConfigDict(populate_by_name=True), to=(str, ...), amount=(int, Field(5, alias="sum"))
    )
    own = create_model("Own", to=(str, ...), amount=(int, Field(5, validation_alias=AliasChoices("amount", "sum"))))
    for model in (both, own):
        given = StructuredTool.from_function(pay, name="pay", args_schema=model)
        assert "9 to Ada" in (result_of(given, {"to": "Ada", "amount": 9}).call.result or "")
        assert "5 to Ada" in (result_of(given, {"to": "Ada"}).call.result or "")


def test_what_its_own_schema_refuses_is_told_without_the_value() -> None:
    given = StructuredTool.from_function(lambda iban: iban, name="pay", description="Pay.", args_schema=Account)
    told = result_of(given, {"iban": "DE02-geheim-4711"}).call.result or ""
    assert "iban: no IBAN: [...]" in told
    assert "geheim" not in told


def test_its_hosts_are_kept() -> None:
    made = from_langchain(weather, effects="none", egress=["public"])
    assert (made.egress, made.holds_connections, made.spec.any_address) == (("public",), True, True)
    assert not from_langchain(weather, effects="none").holds_connections


def test_its_packages_are_kept() -> None:
    assert from_langchain(weather, effects="none", packages=["pyyaml"]).packages == ("pyyaml",)


def test_rates_and_rules_of_approval_are_those_of_any_tool() -> None:
    made = from_langchain(weather, effects="external", rate_limit="3/minute", approval=[Ask(when=over("days", 3))])
    assert [(rate.calls, rate.seconds, rate.scope) for rate in made.spec.rates] == [(3, 60, "tenant")]
    assert made.spec.approval == (Ask(when=over("days", 3)),)
    with pytest.raises(ConfigurationError, match="no argument 'hours'"):
        from_langchain(weather, effects="external", approval=[Ask(when=over("hours", 3))])


def test_its_output_counts_as_text_from_outside_unless_the_author_says_otherwise() -> None:
    assert result_of(weather, {"city": "Bonn"}).call.untrusted
    assert not result_of(weather, {"city": "Bonn"}, trusted_output=True).call.untrusted


def test_a_call_runs_with_the_schemas_defaults_and_answers_json() -> None:
    world = result_of(weather, {"city": "Bonn"})
    assert (world.call.status, world.call.result) == ("succeeded", '{"city": "Bonn", "days": 1}')


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "city"),
        ({"city": [1]}, "city: does not fit 'type': \"string\""),
        ({"city": "Bonn", "days": 9}, "days: does not fit 'maximum': 7"),
        ({"town": "Bonn"}, "town"),
    ],
)
def test_arguments_that_do_not_fit_are_told_to_the_model_and_nothing_runs(arguments: Any, said: str) -> None:
    ran = []

    @tool(args_schema=Place)
    def weather(city: str, days: int) -> str:
        """Tell the weather of a city."""
        ran.append(city)
        return city

    world = result_of(weather, arguments)
    assert (world.call.status, world.call.error_type) == ("failed", "InvalidInput")
    assert world.call.result is not None
    assert said in world.call.result
    assert ran == []


def test_a_tool_exception_is_a_failed_tool_and_any_other_error_is_told_too() -> None:
    def failing(error: Exception, **options: Any) -> World:
        def weather(city: str) -> str:
            """Tell the weather of a city."""
            raise error

        return result_of(StructuredTool.from_function(weather, **options), {"city": "Bonn"})

    refused = failing(ToolException("no such city"))
    assert (refused.call.error_type, refused.call.result) == ("ToolFailed", "ToolFailed: no such city")
    handled = failing(ToolException("no such city"), handle_tool_error=True)
    assert (handled.call.status, handled.call.error_type) == ("failed", "ToolFailed")
    assert failing(KeyError("x")).call.error_type == "KeyError"


def test_a_tool_with_a_coroutine_only_is_run_to_its_end() -> None:
    async def weather(city: str) -> str:
        """Tell the weather of a city."""
        await asyncio.sleep(0)
        return f"rain in {city}"

    made = StructuredTool.from_function(coroutine=weather)
    assert result_of(made, {"city": "Bonn"}).call.result == "rain in Bonn"


def test_a_tool_that_is_a_class_works_too() -> None:
    class Weather(BaseTool):
        name: str = "weather"
        description: str = "Tell the weather of a city."

        def _run(self, city: str) -> str:
            return f"rain in {city}"

    assert result_of(Weather(), {"city": "Bonn"}).call.result == "rain in Bonn"


def test_of_content_and_artifact_the_model_is_told_the_content() -> None:
    @tool(response_format="content_and_artifact")
    def weather(city: str) -> tuple[str, dict[str, str]]:
        """Tell the weather of a city."""
        return "rain", {"raw": city}

    assert result_of(weather, {"city": "Bonn"}).call.result == "rain"


def test_a_tool_may_ask_for_its_calls_id() -> None:
    @tool
    def weather(city: str, call: Annotated[str, InjectedToolCallId]) -> str:
        """Tell the weather of a city."""
        return f"{city} {len(call)}"

    assert "call" not in from_langchain(weather, effects="none").spec.input_schema["properties"]
    assert result_of(weather, {"city": "Bonn"}).call.result == "Bonn 40"


def test_a_tool_that_wants_what_only_a_graph_has_is_refused_where_it_is_declared() -> None:
    @tool
    def weather(city: str, state: Annotated[dict[str, Any], InjectedToolArg]) -> str:
        """Tell the weather of a city."""
        return city

    with pytest.raises(ConfigurationError, match="LangGraph node can give: state") as caught:
        from_langchain(weather, effects="none")
    assert "from_langgraph" in str(caught.value.fix)


def test_a_tool_with_a_plain_json_schema_works() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    made = StructuredTool(
        name="weather", description="Tell the weather.", args_schema=schema, func=lambda **given: str(given)
    )
    assert result_of(made, {"city": "Bonn"}).call.result == "{'city': 'Bonn'}"
    assert result_of(made, {"city": [1]}).call.error_type == "InvalidInput"


def test_secrets_in_a_result_are_masked() -> None:
    @tool
    def weather(city: str) -> dict[str, str]:
        """Tell the weather of a city."""
        return {"note": KEY, "api_key": "abc"}

    result = result_of(weather, {"city": "Bonn"}).call.result
    assert result is not None
    assert KEY not in result
    assert "abc" not in result


def test_a_name_that_is_none_of_ours_needs_another() -> None:
    @tool("Weather-Search")
    def weather(city: str) -> str:
        """Tell the weather of a city."""
        return city

    with pytest.raises(ConfigurationError, match="name is not valid"):
        from_langchain(weather, effects="none")
    assert result_of(weather, {"city": "Bonn"}, name="weather").call.result == "Bonn"


def test_discovery_finds_it_in_a_file_of_its_name(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shout.py").write_text(
        "from langchain_core.tools import tool\n"
        "from pentad.tools.graphs.adapters.langchain_tools import from_langchain\n\n"
        "@tool\n"
        "def shouting(text: str) -> str:\n"
        '    """Shout."""\n'
        "    return text.upper()\n\n"
        'shout = from_langchain(shouting, name="shout", effects="none")\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load_tool("shout").name == "shout"
