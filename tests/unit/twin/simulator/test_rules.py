"""The rules that stand in for a model."""

import json
import re
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from twin.embeddings import get_shared_model
from twin.simulator.neutral import Conversation, Reply, Tool, ToolCall, ToolChoice, ToolResult, Turn
from twin.simulator.rules.arguments.dates import find_dates
from twin.simulator.rules.arguments.generic import plan_generic_calls
from twin.simulator.rules.arguments.structured import Filler
from twin.simulator.rules.arithmetic import evaluate, find_expressions
from twin.simulator.rules.engine import DANGLING, NO_CONTEXT, NOTHING, RuleEngine
from twin.simulator.rules.extract import answer_from
from twin.simulator.rules.notes import find_note
from twin.simulator.rules.prompt import Passage
from twin.simulator.rules.text import split_sentences

TODAY = date(2026, 11, 22)


def tool(name: str, description: str, required: list[str] | None = None, **properties: Any) -> Tool:
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
    }
    return Tool(name, description, schema)


TEXT = {"type": "string"}
CALCULATOR = tool("calculator", "Evaluate an expression", expression=TEXT)
DATE_TIME = tool(
    "date_time",
    "Date arithmetic",
    ["operation"],
    operation={"type": "string", "enum": ["difference", "add", "weekday", "now"]},
    start=TEXT,
    end=TEXT,
    date=TEXT,
    days={"type": "integer"},
    months={"type": "integer"},
    timezone=TEXT,
)
SAVE_NOTE = tool("save_note", "Save a note", title=TEXT, text=TEXT)
PASSAGES = (
    '<passages>\n<passage cite="[cite:aaaaa2]" document="docs/storage.md" title="Storage">\nSessions live in DynamoDB. '
    'They expire after 30 days.\n</passage>\n<passage cite="[cite:bbbbb3]" document="docs/ui.md" title="Console">\n'
    "The console "
    "lists approvals &amp; runs.\n</passage>\n</passages>\n"
)


def talk(*texts: str, tools: tuple[Tool, ...] = (), **options: Any) -> Reply:
    """Reply to alternating user and assistant texts."""
    turns = tuple(Turn("assistant" if index % 2 else "user", text) for index, text in enumerate(texts))
    return RuleEngine(lambda: TODAY).generate_reply(Conversation("m", turns, tools=tools, **options))


def question(text: str) -> str:
    return f"{PASSAGES}<question>{text}</question>"


def test_a_passage_without_a_marker_is_told_without_a_citation() -> None:
    unnamed = re.sub(r' cite="[^"]*"', "", question("When do sessions expire?"))
    assert talk(question("When do sessions expire?")).text.endswith("expire after 30 days [cite:aaaaa2].")
    assert talk(unnamed).text.endswith("expire after 30 days.")
    assert "[" not in talk(unnamed.replace("When do sessions expire", "Summarise the documents")).text


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("what is 17.5 * (3 + 4)?", "17.5 * (3 + 4)"),
        ("15 % of 240", "15 / 100 * 240"),
        ("the square root of 2", "sqrt(2)"),
        ("calculate 2^10, please", "2**10"),
        ("5 plus 7 times 2", "5 + 7 * 2"),
        ("what's 1,234 + 1?", "1234 + 1"),
        ("divide 10 by 4", "10 / 4"),
        ("multiply 3 by 4", "3 * 4"),
    ],
)
def test_arithmetic_is_found(text: str, expression: str) -> None:
    assert find_expressions(text).expressions == (expression,)


@pytest.mark.parametrize(
    "text", ["between 1-4 sentences", "Python 3.11 or 3.12?", "How does 24/7 support work", "On 2026-01-01?", "TCP/IP"]
)
def test_numbers_that_are_not_arithmetic_are_left_alone(text: str) -> None:
    assert find_expressions(text).expressions == ()


@pytest.mark.parametrize("text", ["__import__('os')", "2 ** 99999", "1 / 0", "a + 1"])
def test_only_finite_arithmetic_is_evaluated(text: str) -> None:
    with pytest.raises(ValueError, match=r"evaluate|large|arithmetic|finite"):
        evaluate(text)


@pytest.mark.parametrize(
    ("text", "kind", "facts"),
    [
        (
            "How many days are there between 1 January 2026 and March 1, 2026?",
            "difference",
            {"start": "2026-01-01", "end": "2026-03-01"},
        ),
        ("what date is 45 days after 2026-11-22", "add", {"date": "2026-11-22", "amount": 45, "unit": "days"}),
        ("two weeks before 2026-11-22", "add", {"amount": -2, "unit": "weeks"}),
        ("Which weekday is 2026-11-22?", "weekday", {"date": "2026-11-22"}),
        ("What time is it in Europe/Paris?", "now", {"timezone": "Europe/Paris"}),
        ("How many days until 2026-12-24?", "difference", {"start": "2026-11-22", "end": "2026-12-24"}),
    ],
)
def test_date_arithmetic_is_found(text: str, kind: str, facts: dict[str, Any]) -> None:
    (intent,), _ = find_dates(text, TODAY)
    assert intent.kind == kind
    assert {name: getattr(intent, name) for name in facts} == facts


def test_date_tools_of_other_shapes_are_filled() -> None:
    between = tool("days_between", "Count the days between two dates", start_date=TEXT, end_date=TEXT)
    shift = tool(
        "add_to_date",
        "Add an amount to a date",
        date=TEXT,
        amount={"type": "integer"},
        unit={"type": "string", "enum": ["day", "week"]},
    )
    reply = talk(
        "How many days between 2026-01-01 and 2026-02-01, and what is 3 weeks after 2026-01-01?", tools=(between, shift)
    )
    assert {call.name: call.arguments for call in reply.calls} == {
        "days_between": {"start_date": "2026-01-01", "end_date": "2026-02-01"},
        "add_to_date": {"date": "2026-01-01", "amount": 3, "unit": "week"},
    }


@pytest.mark.parametrize(
    ("text", "title", "body"),
    [
        ("Save a note titled Demo: ship on Friday", "Demo", "ship on Friday"),
        ("save a note: buy milk", "Buy milk", "buy milk"),
        ("Note down that the demo is on Friday", "The demo is on Friday", "the demo is on Friday"),
        ('Please save a note saying "hello world"', "Hello world", "hello world"),
        ("remember the milk as a note", "The milk", "the milk"),
        ('Create a note called "Plan" with the text "do it all"', "Plan", "do it all"),
    ],
)
def test_notes_are_found(text: str, title: str, body: str) -> None:
    note, _ = find_note(text)
    assert note is not None
    assert (note.title, note.text) == (title, body)


def test_asking_what_a_note_says_saves_none() -> None:
    assert find_note("What does the note say?")[0] is None


def test_one_question_with_three_needs_is_three_calls_in_one_turn() -> None:
    reply = talk(
        "What is 2 + 3, which weekday is 2026-11-22, and save a note: call Ada",
        tools=(CALCULATOR, DATE_TIME, SAVE_NOTE),
    )
    assert [call.name for call in reply.calls] == ["calculator", "date_time", "save_note"]


def test_a_note_of_a_result_waits_for_it() -> None:
    tools = (CALCULATOR, SAVE_NOTE)
    text = "Calculate 3 * 4 and save a note titled Sum with the result"
    first = talk(text, tools=tools)
    assert [call.name for call in first.calls] == ["calculator"]
    turns = (
        Turn("user", text),
        Turn("assistant", calls=(ToolCall("calculator", {"expression": "3 * 4"}, "c1"),)),
        Turn("user", results=(ToolResult("c1", "12"),)),
    )
    second = RuleEngine(lambda: TODAY).generate_reply(Conversation("m", turns, tools=tools))
    assert [(call.name, call.arguments) for call in second.calls] == [
        ("save_note", {"title": "Sum", "text": "The result of 3 * 4 is 12."})
    ]


def test_results_and_documents_are_answered_together() -> None:
    text = question("What is 2 + 3, and when do sessions expire?")
    turns = (
        Turn("user", text),
        Turn("assistant", calls=(ToolCall("calculator", {"expression": "2 + 3"}, "c1"),)),
        Turn("user", results=(ToolResult("c1", "5"),)),
    )
    reply = RuleEngine(lambda: TODAY).generate_reply(Conversation("m", turns, tools=(CALCULATOR,)))
    assert reply.text.startswith("The result of 2 + 3 is 5.")
    assert "expire after 30 days [cite:aaaaa2]." in reply.text


def test_passages_are_unescaped_and_cited() -> None:
    assert "lists approvals & runs [cite:bbbbb3]." in talk(question("What does the console list?")).text
    assert talk(question("Who painted the ceiling?")).text == NOTHING
    assert talk("Who painted the ceiling?").text == NO_CONTEXT


@pytest.mark.parametrize(
    ("past", "asked", "expected"),
    [
        (("My name is Ada.", "Hello."), "What is my name?", "Your name is Ada."),
        (("My favourite colour is blue.", "Noted."), "What is my favourite colour?", "Your favourite colour is blue."),
        (("Where is Paris?", "In France."), "What did I ask before?", "You asked: “Where is Paris?”"),
        (("one?", "1", "two?", "2"), "What did I ask first?", "You asked: “one?”"),
        (("x", "The result of 2 * 21 is 42."), "What was the result?", "The last result was 42."),
    ],
)
def test_follow_ups_are_answered_from_memory_only(past: tuple[str, ...], asked: str, expected: str) -> None:
    assert talk(*past, asked).text == expected
    assert talk(asked).text != expected


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("My name is Ada and I like tea.", "Ada"),
        ("MY NAME IS ADA AND I LIKE TEA", "ADA"),
        ("my name is ada and i like tea", "ada"),
        ("Hi! My name's Ada Lovelace but friends say Countess.", "Ada Lovelace"),
        ("My name is Anne-Marie O'Neill, from Cork.", "Anne-Marie O'Neill"),
        ("My name is Ludwig van Beethoven and I am deaf", "Ludwig van Beethoven"),
        ("My name is Élodie de la Tour who writes", "Élodie de la Tour"),
        ("My name is Jürgen über alles", "Jürgen"),
        ("my name is Łukasz. I code.", "Łukasz"),
        ("I am called “Bo” today", "Bo"),
        ("Call me Ishmael please", "Ishmael"),
        ("My name\u2019s 小明", "小明"),
    ],
)
def test_a_name_ends_where_the_sentence_goes_on(said: str, name: str) -> None:
    assert talk(said).text.startswith(f"Nice to meet you, {name}. ")
    assert talk(said, "Hello.", "What is my name?").text == f"Your name is {name}."


@pytest.mark.parametrize(
    "said", ["I'm late and I am sorry.", "Call me later.", "Call me a taxi", "call me back", "My name is not important"]
)
def test_what_introduces_nobody_is_no_name(said: str) -> None:
    assert "Nice to meet you" not in talk(said).text
    assert talk(said, "Yes.", "Who am I?").text == "You have not told me your name in this conversation."


def test_facts_of_the_system_prompt_are_remembered_too() -> None:
    assert talk("What is my name?", system="The user's name is Ada.").text == "Your name is Ada."


def test_a_question_about_oneself_goes_to_tools_before_it_is_given_up() -> None:
    assert talk("What is my budget?").text == "You have not told me your budget in this conversation."
    assert talk("What are my orders?", tools=(tool("list_orders", "List the orders"),)).calls[0].name == "list_orders"


def test_a_remark_beside_tool_results_does_not_hide_them() -> None:
    turns = (
        Turn("user", "What is 6 * 7?"),
        Turn("assistant", calls=(ToolCall("calculator", {"expression": "6 * 7"}, "c1"),)),
        Turn("user", "Be brief.", results=(ToolResult("c1", "42"),)),
    )
    reply = RuleEngine(lambda: TODAY).generate_reply(Conversation("m", turns, tools=(CALCULATOR,)))
    assert reply.text.startswith("The result of 6 * 7 is 42.")


@pytest.mark.parametrize(
    ("asked", "expression"),
    [
        ("Double that", "2 * 122.5"),
        ("Add 10 to that result", "122.5 + 10"),
        ("and in percent?", "122.5 * 100"),
        ("plus 10?", "122.5 + 10"),
        ("Now divide it by 5", "122.5 / 5"),
        ("What is 20 % of that?", "20 / 100 * 122.5"),
        ("And what is the square root of that?", "sqrt(122.5)"),
    ],
)
def test_arithmetic_goes_on_from_the_last_result(asked: str, expression: str) -> None:
    past = ("What is 17.5 * 7?", "The result of 17.5 * 7 is 122.5.")
    assert talk(*past, asked, tools=(CALCULATOR,)).calls[0].arguments == {"expression": expression}
    assert talk(asked, tools=(CALCULATOR,)).calls == ()


def test_dates_go_on_from_the_last_date() -> None:
    past = ("What date is 45 days after 2026-11-22?", "45 days after 2026-11-22 is 2027-01-06.")
    (call,) = talk(*past, "Which weekday is that?", tools=(DATE_TIME,)).calls
    assert call.arguments == {"operation": "weekday", "date": "2027-01-06"}
    (call,) = talk(*past, "And 10 days later?", tools=(DATE_TIME,)).calls
    assert call.arguments == {"operation": "add", "date": "2027-01-06", "days": 10}


def test_a_pronoun_is_resolved_against_the_question_before() -> None:
    past = (question("Where do sessions live?"), "Sessions live in DynamoDB [cite:aaaaa2].")
    assert (
        "expire after 30 days [cite:aaaaa2]"
        in talk(*past, question("And how long are they kept, until they expire?")).text
    )
    assert "DynamoDB" in talk(*past, question("Tell me more about it")).text
    assert talk("Tell me more about it").text == DANGLING


def test_an_item_of_the_last_answer_can_be_asked_about() -> None:
    past = ("What is there?", "Sessions live in DynamoDB. The console lists approvals and runs.")
    assert "console lists approvals" in talk(*past, question("Tell me more about the second one")).text


@pytest.mark.parametrize(
    ("made", "asked", "arguments"),
    [
        (
            tool("get_weather", "Current weather of a city", city=TEXT),
            "What is the weather in Lisbon?",
            {"city": "Lisbon"},
        ),
        (
            tool("convert_units", "Convert a value", value={"type": "number"}, from_unit=TEXT, to_unit=TEXT),
            "Convert the units: 5 km to miles",
            {"value": 5, "from_unit": "km", "to_unit": "miles"},
        ),
        (
            tool("create_ticket", "Open a ticket", title=TEXT, priority={"type": "string", "enum": ["low", "high"]}),
            'Create a ticket "Printer on fire" with high priority',
            {"title": "Printer on fire", "priority": "high"},
        ),
        (tool("reverse_text", "Reverse a text", text=TEXT), 'Reverse the text "abc"', {"text": "abc"}),
        (tool("count_words", "Count words", text=TEXT), "count the words in: one two three", {"text": "one two three"}),
        (tool("roll_dice", "Roll dice", sides={"type": "integer"}), "Roll the dice with sides=20", {"sides": 20}),
        (
            tool("send_invite", "Send an invite", email=TEXT),
            "Send an invite to ada@example.com",
            {"email": "ada@example.com"},
        ),
        (tool("list_orders", "List the orders"), "List my orders", {}),
    ],
)
def test_a_tool_of_the_users_own_is_called_by_the_generic_rule(made: Tool, asked: str, arguments: Any) -> None:
    (call,) = plan_generic_calls(asked, [made, CALCULATOR])
    assert (call.name, call.arguments) == (made.name, arguments)


def test_a_tool_that_the_question_does_not_speak_of_is_left_alone() -> None:
    weather = tool("get_weather", "Current weather of a city", city=TEXT)
    assert talk("Where do sessions live?", tools=(weather, CALCULATOR)).calls == ()


def test_a_failed_result_is_told_with_its_reason() -> None:
    turns = (
        Turn("user", "What is 1 / 0?"),
        Turn("assistant", calls=(ToolCall("calculator", {"expression": "1 / 0"}, "c1"),)),
        Turn("user", results=(ToolResult("c1", json.dumps({"error": "division by zero"}), is_error=True),)),
    )
    reply = RuleEngine(lambda: TODAY).generate_reply(Conversation("m", turns, tools=(CALCULATOR,)))
    assert reply.text == "The calculator call was not carried out: division by zero."


def test_no_tool_is_called_when_the_choice_is_none() -> None:
    reply = talk("What is 6 * 7?", tools=(CALCULATOR,), choice=ToolChoice("none"))
    assert (reply.calls, reply.text) == ((), "The result of 6 * 7 is 42.")


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3, "maximum": 4}}, "required": ["n"]},
        {"type": "object", "properties": {"s": {"type": "string", "maxLength": 5, "minLength": 2}}, "required": ["s"]},
        {"type": "object", "properties": {"d": {"type": "string", "format": "date"}}, "required": ["d"]},
        {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 1},
        {"type": "array", "items": {"type": "string"}, "minItems": 3, "uniqueItems": True},
        {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"x": {"const": 4}}, "required": ["x"]}]},
        {
            "$defs": {
                "node": {
                    "type": "object",
                    "properties": {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
                }
            },
            "$ref": "#/$defs/node",
        },
        {"type": "object", "properties": {"x": {"type": ["number", "null"], "multipleOf": 0.5}}, "required": ["x"]},
    ],
)
@pytest.mark.parametrize("text", ["", "Ada paid 17.25 on 2026-02-03. It did not fail."])
def test_filled_instances_are_valid(schema: dict[str, Any], text: str) -> None:
    assert Draft202012Validator(schema).is_valid(Filler(text).fill(schema))


def test_values_are_taken_from_the_text() -> None:
    schema = {
        "type": "object",
        "properties": {
            "email": TEXT,
            "amount": {"type": "number"},
            "due": {"type": "string", "format": "date"},
            "status": {"enum": ["open", "paid"]},
        },
        "required": ["email", "amount", "due", "status"],
    }
    filled = Filler("Invoice of ada@example.com: amount: 17.25, due on 2026-02-03. It was paid.").fill(schema)
    assert filled == {"email": "ada@example.com", "amount": 17.25, "due": "2026-02-03", "status": "paid"}


def test_markdown_is_split_into_sentences() -> None:
    text = "# Title\nOne is here. Two\nis there.\n\n- three\n- four\n\n```\ncode\n```\n| a | b |\n|---|---|\n| c | d |"
    assert split_sentences(text) == ["One is here.", "Two is there.", "three", "four", "a: c; b: d"]


TABLE = "| plan | refund period | fee |\n|---|:-:|---|\n| Basic | 14 days | 5 EUR |\n| Pro | 30 days | |"


@pytest.fixture
def no_embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentences are told by words alone, as where nothing has loaded the embedder."""
    monkeypatch.setattr("twin.simulator.rules.extract.get_shared_model", lambda: SimpleNamespace(loaded=False))


@pytest.fixture
def embedder() -> None:
    """The embedder is in memory, as on a twin with documents."""
    get_shared_model().embed(["load it"])


def answer(text: str, asked: str) -> str | None:
    return answer_from((Passage("[[1]]", "terms.md", "Terms", text),), asked)


@pytest.mark.parametrize(
    ("text", "asked", "expected"),
    [
        (TABLE, "What is the refund period of the Pro plan?", "plan: Pro; refund period: 30 days [[1]]."),
        (TABLE, "What is the fee of Basic?", "plan: Basic; refund period: 14 days; fee: 5 EUR [[1]]."),
        (
            "plan | refund period\n--- | ---\nBasic | 14. Days \\| 2\n\nAsk us for more.",
            "What is the refund period of Basic?",
            "plan: Basic; refund period: 14. Days | 2 [[1]].",
        ),
        (
            "|  | Basic | Pro |\n|---|---|---|\n| refund | 14 | 30 |",
            "A refund of Pro?",
            "refund; Basic: 14; Pro: 30 [[1]].",
        ),
        ("| plan | refund period | fee |\n|---|---|---|", "What is the refund period of Basic?", None),
        (TABLE, "Who sails to the moon?", None),
    ],
)
@pytest.mark.usefixtures("no_embedder")
def test_of_a_table_the_row_that_fits_is_told_with_its_columns_and_never_the_header(
    text: str, asked: str, expected: str | None
) -> None:
    assert answer(text, asked) == expected


@pytest.mark.usefixtures("embedder")
def test_what_is_alike_in_meaning_adds_other_rows_and_never_the_header() -> None:
    told = answer(TABLE, "What is the refund period of the Pro plan?")
    assert told is not None and "plan: Pro; refund period: 30 days [[1]]." in told
    assert "plan; refund period; fee" not in told and "| plan |" not in told
    assert answer("| plan | refund period | fee |\n|---|---|---|", "What is the refund period of Basic?") is None


GERMAN = "Der Laden ist in Berlin. Die Rückgabefrist beträgt 30 Tage. Über Gebühren reden wir später."
RUSSIAN = "Магазин находится в Берлине. Срок возврата составляет 30 дней."
ARABIC = "\u0645\u062f\u0629 \u0627\u0644\u0625\u0631\u062c\u0627\u0639 30 \u064a\u0648\u0645\u064b\u0627."
CHINESE = "我们的商店在柏林。退款期限为30天。运费是5欧元。"
JAPANESE = "店はベルリンにあります。返品期限は30日です。"


@pytest.mark.parametrize(
    ("text", "asked", "expected"),
    [
        (GERMAN, "Wie lange ist die Rückgabefrist?", "Die Rückgabefrist beträgt 30 Tage [[1]]."),
        (GERMAN, "Wie lange ist die Ru\u0308ckgabefrist?", "Die Rückgabefrist beträgt 30 Tage [[1]]."),
        (GERMAN, "Wie lange ist die Garantie?", None),
        (RUSSIAN, "Какой срок возврата?", "Срок возврата составляет 30 дней [[1]]."),
        (ARABIC, f"\u0645\u0627 \u0647\u064a {ARABIC[:11]}\u061f", f"{ARABIC[:-1]} [[1]]."),
        (CHINESE, "退款期限是多久\uff1f", "退款期限为30天 [[1]]。"),
        (CHINESE, "保修期是多久\uff1f", None),
        (JAPANESE, "返品期限は何日ですか\uff1f", "返品期限は30日です [[1]]。"),
    ],
)
@pytest.mark.parametrize("loaded", ["no_embedder", "embedder"])
def test_passages_of_other_languages_answer(
    request: pytest.FixtureRequest, loaded: str, text: str, asked: str, expected: str | None
) -> None:
    request.getfixturevalue(loaded)
    assert answer(text, asked) == expected


@pytest.mark.parametrize("filler", [" ", "\n", "\N{GRINNING FACE}", "- ", "lorem ipsum ", "("])
def test_long_monotonous_message_is_answered_in_passing(filler: str) -> None:
    # Patterns whose parts compete for the same characters would take minutes, in which the twin answers nobody.
    question = f"Look {filler * 20_000} what is 6 * 7?"
    reply = RuleEngine(lambda: TODAY).generate_reply(Conversation("m", (Turn("user", question),), tools=(CALCULATOR,)))
    assert [call.arguments for call in reply.calls] == [{"expression": "6 * 7"}]


def test_a_schema_is_filled_from_the_material_that_a_request_marks_and_not_from_what_to_do_with_it() -> None:
    schema = {"type": "object", "properties": {"purpose": {"type": "string"}}, "required": ["purpose"]}
    asked = (
        "Read this document and note its purpose.\n\n<document>\nThe supplier must deliver by 2026-12-31.\n</document>"
    )
    assert json.loads(talk(asked, schema=schema).text) == {"purpose": "The supplier must deliver by 2026-12-31."}


ORDER = Tool(
    "find_order",
    "Find an order.",
    {
        "type": "object",
        "properties": {
            "order_id": {"type": "string", "pattern": "^ORD-[0-9]{4}$"},
            "limit": {"type": "integer", "minimum": 1, "maximum": 50},
        },
        "required": ["order_id"],
    },
)


@pytest.mark.parametrize(
    ("asked", "arguments"),
    [
        ("Find order ORD-1234 please", {"order_id": "ORD-1234"}),
        ('Find the order "ORD-1234", limit: 500', {"order_id": "ORD-1234", "limit": 50}),
        ("Find the order of my neighbour", None),
        ("Find order 12", None),
    ],
)
def test_a_call_keeps_to_the_pattern_and_bounds_of_its_tool_or_is_not_made(asked: str, arguments: Any) -> None:
    reply = talk(asked, tools=(ORDER,))
    assert [call.arguments for call in reply.calls] == ([] if arguments is None else [arguments])


def refund(pattern: str) -> Tool:
    return tool("refund_order", "Refund an order.", order={"type": "string", "pattern": pattern})


@pytest.mark.parametrize(
    ("pattern", "asked", "order"),
    [
        (r"^[A-Z]-\d{4}$", "Refund order C-4711, please.", "C-4711"),
        (r"^[A-Z]-\d{4}$", "Refund order ABC-47112", None),
        (r"^[A-Z]-\d{4}$", "Refund order C-47112", None),
        (r"^[A-Z]-\d{4}$", "Refund order AB-C-4711", None),
        (r"^[A-Z]-\d{4}$", "Refund order C-4711-9", None),
        (r"^[A-Z]-\d{4}$", "Refund order (C-4711)!", "C-4711"),
        (r"^[A-Z]-\d{4}$", "refund order: \u8ba2\u5355C-4711\u9000\u6b3e", "C-4711"),
        (r"^\d+$", "Refund order 12.5", None),
        (r"^\d+\$$", "Refund order of 12$ now", "12$"),
        (r"^\d+\$$", "Refund order of 12 now", None),
        (r"^\^\w+$", "Refund order ^abc now", "^abc"),
        (r"\A\d{4}\Z", "Refund order number 4711 now", "4711"),
        (r"(?i)^c-\d{4}$", "Refund order C-4711 now", "C-4711"),
        (r"^#\d{4}$", "Refund order#4711 now", "#4711"),
    ],
)
def test_a_call_names_what_the_question_names_and_no_part_of_it(pattern: str, asked: str, order: str | None) -> None:
    assert [call.arguments for call in talk(asked, tools=(refund(pattern),)).calls] == (
        [] if order is None else [{"order": order}]
    )


@pytest.mark.parametrize("form", ["date", "uuid"])
def test_a_part_of_a_longer_number_is_no_value_of_a_format(form: str) -> None:
    long = {"date": "12026-01-011", "uuid": "a0b1c2d3e4f-0000-4000-8000-000000000000"}[form]
    made = tool("refund_order", "Refund an order.", order={"type": "string", "format": form})
    assert talk(f"Refund order {long}", tools=(made,)).calls == ()


def test_a_forced_call_meets_a_pattern_that_the_question_does_not() -> None:
    asked = Conversation("m", (Turn("user", "Find it."),), tools=(ORDER,), choice=ToolChoice("tool", "find_order"))
    [call] = RuleEngine().generate_reply(asked).calls
    assert Draft202012Validator(ORDER.schema).is_valid(call.arguments)


def test_dates_and_abbreviations_are_not_broken_by_citations_and_rows_are_told_one_by_one() -> None:
    assert split_sentences("The fair opens on 12. March 2026. Dr. Ada Low leads it, e.g. on Mondays. It is free.") == [
        "The fair opens on 12. March 2026.",
        "Dr. Ada Low leads it, e.g. on Mondays.",
        "It is free.",
    ]
    rows = "name: Ann; city: Bonn; age: 3\nname: Bob; city: Ulm; age: 4\nPlain words follow."
    assert split_sentences(rows) == [
        "name: Ann; city: Bonn; age: 3",
        "name: Bob; city: Ulm; age: 4",
        "Plain words follow.",
    ]


def test_json_mode_fills_the_schema_that_is_told_in_words_or_gives_an_answer() -> None:
    told = 'Reply in JSON.\n\nIt must fit this JSON Schema:\n{"type": "object", "properties": {"n": {"const": 3}}}'
    for conversation in (
        Conversation("m", (Turn("user", "How many?"),), system=told, json_mode=True),
        Conversation("m", (Turn("user", f"How many? {told}"),), json_mode=True),
    ):
        assert json.loads(RuleEngine().generate_reply(conversation).text) == {"n": 3}
    plain = Conversation("m", (Turn("user", "What is 2 + 2? Answer as JSON."),), json_mode=True)
    assert "4" in json.loads(RuleEngine().generate_reply(plain).text)["answer"]
