"""Tools are found by what they do, in other words than their own, and by their names."""

import math

import pytest

from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.ids import TOOL_CHARACTERS
from pentad.domain.schemas import find_violations
from pentad.tools.offer.find import ToolIndex, stem_word
from pentad.tools.offer.own import USE_SPEC


def make(name: str, description: str, **parameters: str) -> ToolSpec:
    properties = {key: {"type": "string", "description": said} for key, said in parameters.items()}
    schema = {"type": "object", "properties": properties}
    return ToolSpec(name=name, description=description, input_schema=schema, effects="none")


TOOLS = [
    make("invoice_cancel", "Cancels an invoice that was not paid yet.", invoice="number of the invoice"),
    make("invoice_create", "Creates a new invoice for a customer.", customer="who pays", lines="what is sold"),
    make("get_weather", "Returns the forecast for a city.", city="name of the city", unit="celsius or fahrenheit"),
    make("send_email", "Sends an email.", to="address of the receiver", subject="the subject"),
    make("crm_find_contacts", "Searches the CRM for people.", company="where they work"),
    make("convert_currency", "Converts money at today's rate.", amount="how much", target="the other currency"),
    make("hotel_book", "Books a room in a hotel.", nights="how many nights", arrival="the first day"),
    make("set_volume", "Sets how loud the speaker is.", percent="0 to 100"),
]
INDEX = ToolIndex(TOOLS)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("void a bill: cancel invoices", "invoice_cancel"),
        ("make out an invoice to a client", "invoice_create"),
        ("what will the temperature be tomorrow in Oslo", "get_weather"),
        ("notify somebody by mail", "send_email"),
        ("look up persons of a company in the customer database", "crm_find_contacts"),
        ("exchange euros: converting currencies", "convert_currency"),
        ("reserve hotel rooms for three nights", "hotel_book"),
        ("turn the loudness of speakers down", "set_volume"),
    ],
)
def test_a_tool_is_found_by_what_it_does_in_other_words(query: str, name: str) -> None:
    assert INDEX.find(query, 1)[0].tool.name == name


@pytest.mark.parametrize("query", ["get_weather", "getWeather", "GET-WEATHER", " get weather "])
def test_an_exact_name_comes_first(query: str) -> None:
    more = ToolIndex([make("weather_get_weather_now", "Get weather, get weather, get weather now."), *TOOLS])
    found = more.find(query, 3)
    assert found[0].tool.name == "get_weather" and found[0].score == math.inf


def test_what_has_no_word_of_the_query_is_not_found() -> None:
    assert INDEX.find("xyzzy", 5) == [] and INDEX.find("", 5) == [] and INDEX.find("the of and", 5) == []
    assert ToolIndex(()).find("weather", 5) == []


def test_so_many_are_found_as_are_asked_for_and_the_same_each_time() -> None:
    found = [one.tool.name for one in INDEX.find("invoice customer email city", 3)]
    assert len(found) == 3
    assert found == [one.tool.name for one in ToolIndex(TOOLS).find("invoice customer email city", 3)]


@pytest.mark.parametrize("query", ["\ud83d", "a" * 100_000, "発注を取り消す", "'; DROP TABLE tools; --", "\x00\n\t"])
def test_odd_queries_are_answered(query: str) -> None:
    assert isinstance(INDEX.find(query, 5), list)


def test_words_of_other_scripts_are_found_as_they_stand() -> None:
    more = ToolIndex([*TOOLS, make("orders", "発注 を 取り消す", order="番号")])
    assert more.find("発注", 1)[0].tool.name == "orders"


def test_schemas_of_any_form_are_read() -> None:
    odd = [{"properties": {"x": True}}, {"properties": {"x": {"enum": [1, None, "red"]}}}, {"items": []}, {}]
    tools = [make(f"t{at}", "d").model_copy(update={"input_schema": schema}) for at, schema in enumerate(odd)]
    assert [one.tool.name for one in ToolIndex(tools).find("red", 5)] == ["t1"]


@pytest.mark.parametrize(
    "forms",
    [
        ("invoice", "invoices", "invoiced", "invoicing"),
        ("cancel", "cancels", "cancelled", "cancelling", "cancellation"),
        ("city", "cities"),
        ("search", "searches", "searching"),
        ("convert", "converts", "converting", "converter"),
        ("stop", "stopped", "stopping", "stops"),
    ],
)
def test_forms_of_a_word_have_one_stem(forms: tuple[str, ...]) -> None:
    assert len({stem_word(form) for form in forms}) == 1


@pytest.mark.parametrize(
    "order", [("send_email", "sendemail", "send__email"), ("send__email", "sendemail", "send_email")]
)
def test_of_names_that_differ_in_underscores_the_one_comes_first_that_was_written(order: tuple[str, ...]) -> None:
    index = ToolIndex([make(name, "Sends an email.") for name in order])
    for name in order:
        found = [one.tool.name for one in index.find(name, 5)]
        assert (found[0], sorted(found)) == (name, sorted(order))


def test_a_tool_with_the_longest_name_is_found_and_can_be_used() -> None:
    name = "x" * TOOL_CHARACTERS
    assert ToolIndex([make(name, "Something.")]).find(name, 1)[0].tool.name == name
    assert not find_violations(USE_SPEC.input_schema, {"name": name, "arguments": {}})
