"""What the simulator finds worth remembering, asked as the pipeline after a run asks it."""

import pytest

from pentad.domain.models import CallContext
from pentad.memory.facts.extract import FoundFact, FoundFacts, build_extract_request
from pentad.models.structured.structured import complete_as
from tests.unit.memory.facts.talk import START, Simulated, say
from twin.simulator.neutral import Conversation, Turn
from twin.simulator.rules.engine import RuleEngine
from twin.simulator.rules.remember import answer_memory

FRONT = '<remembered note="n">\n<fact kind="fact" said="2026-11-02">The user\'s name is Priya.</fact>\n</remembered>'
CONTEXT = CallContext(tenant_id="acme")


def find(*lines: str) -> list[FoundFact]:
    request = build_extract_request(say(*lines), [], CONTEXT, START)
    return complete_as(Simulated(), request, FoundFacts, deadline=1e12).value.facts


@pytest.mark.parametrize(
    ("said", "subject", "text"),
    [
        ("My name is Priya.", "name", "The user's name is Priya."),
        ("I prefer short answers.", "preference", "The user prefers short answers."),
        ("We moved to Lisbon.", "home", "The user and others moved to Lisbon."),
        ("I'm allergic to nuts.", "diet", "The user is allergic to nuts."),
    ],
)
def test_known_forms_are_found_and_told_of_the_user(said: str, subject: str, text: str) -> None:
    [one] = find(f"u: {said}")
    assert (one.subject, one.text, one.quote, one.seq) == (subject, text, said, 0)


def test_a_correction_says_what_was_wrong() -> None:
    [one] = find("a: You live in Bonn?", "u: No, it's Kiel, not Bonn.")
    assert (one.kind, one.replaces, one.seq) == ("correction", "Bonn", 1)


def test_what_one_sentence_says_of_two_things_is_two_facts() -> None:
    found = find("u: We moved to Hamburg last week, and I prefer answers in German; my dog is three but I work at sea.")
    assert [one.subject for one in found] == ["home", "preference", "pets", "job"]
    assert found[1].quote == "I prefer answers in German"


def test_what_is_denied_with_a_no_says_what_was_wrong() -> None:
    [one] = find("u: No, we moved to Bremen, not Hamburg.")
    assert (one.subject, one.text) == ("home", "The user and others moved to Bremen, not Hamburg.")
    assert one.replaces == "Hamburg"


def test_the_assistants_words_and_what_has_no_form_are_left_out() -> None:
    assert find("u: What is the time?", "a: My name is Otto.") == []


def test_a_request_that_is_none_for_memory_is_not_answered_here() -> None:
    assert answer_memory(Conversation("m", (Turn("user", "My name is Priya."),))) is None


def test_what_is_remembered_in_front_answers_a_question() -> None:
    asked = Conversation("m", (Turn("user", f"{FRONT}\n\n<question>What is my name?</question>"),))
    assert "Priya" in RuleEngine().generate_reply(asked).text


def test_what_is_remembered_is_not_taken_for_the_question() -> None:
    asked = Conversation("m", (Turn("user", f"{FRONT}\n\n<question>Hello!</question>"),))
    assert "Priya" not in RuleEngine().generate_reply(asked).text
