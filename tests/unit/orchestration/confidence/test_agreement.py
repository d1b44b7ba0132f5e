"""How equal replies are: calls by their arguments, answers by words and numbers."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.domain.messages import Message, TextBlock, ToolCallBlock
from pentad.orchestration.confidence.agreement import compute_agreement, compute_similarity

NOW = datetime(2026, 11, 22, tzinfo=UTC)
BODY = "Dear keeper, please order two barrels of colza oil for the lamp."
OTHER_BODY = "Dear keeper, please order two barrels of colza oil for the lantern room."


def says(text: str) -> Message:
    return Message(message_id="m", role="assistant", blocks=(TextBlock(text=text),), created_at=NOW)


def calls(*made: tuple[str, dict[str, Any]]) -> Message:
    blocks = tuple(ToolCallBlock(call_id=f"c{n}", tool=tool, arguments=args) for n, (tool, args) in enumerate(made))
    return Message(message_id="m", role="assistant", blocks=blocks, created_at=NOW)


def test_the_same_calls_in_another_order_agree() -> None:
    one = calls(("notes", {"title": "a", "n": 1}), ("calculator", {"expression": "1+1"}))
    other = calls(("calculator", {"expression": "1+1"}), ("notes", {"n": 1, "title": "a"}))
    assert compute_agreement(one, other) == 1


def test_a_call_with_another_amount_does_not_agree() -> None:
    one, other = ({"to": "ann", "amount": amount, "currency": "EUR"} for amount in (100, 1000))
    assert compute_agreement(calls(("pay", one)), calls(("pay", other))) == 0


def test_a_call_of_another_tool_does_not_agree() -> None:
    assert compute_agreement(calls(("save", {"x": 1})), calls(("delete", {"x": 1}))) == 0


def test_a_call_too_many_takes_its_share() -> None:
    one = calls(("notes", {"x": 1}))
    assert compute_agreement(one, calls(("notes", {"x": 1}), ("notes", {"x": 2}))) == 0.5
    assert compute_agreement(one, calls(("notes", {"x": 1}), ("notes", {"x": 1}))) == 0.5


def test_prose_of_a_call_is_compared_as_prose() -> None:
    one, other = (calls(("mail", {"to": "ann", "body": body})) for body in (BODY, OTHER_BODY))
    assert 0.8 < compute_agreement(one, other) < 1


def test_short_texts_of_a_call_are_compared_exactly() -> None:
    one, other = (calls(("mail", {"to": "ann", "subject": subject})) for subject in ("Oil", "Oils"))
    assert compute_agreement(one, other) == 0


def test_a_call_and_an_answer_do_not_agree() -> None:
    assert compute_agreement(calls(("notes", {"x": 1})), says("Done.")) == 0
    assert compute_agreement(says("Done."), calls(("notes", {"x": 1}))) == 0


def test_an_answer_that_says_more_does_not_disagree() -> None:
    assert (
        compute_similarity("The lamp burns colza oil.", "The lamp burns colza oil, two barrels a month [cite:k7f2qa].")
        == 1
    )


def test_another_number_disagrees() -> None:
    assert compute_similarity("The tower is 42 m high.", "The tower is 43 m high.") == 0


@pytest.mark.parametrize(("one", "other"), [("1,000 keepers", "1000 keepers"), ("2.50 euros", "2.5 euros")])
def test_one_number_may_be_written_in_two_ways(one: str, other: str) -> None:
    assert compute_similarity(one, other) == 1


def test_citation_markers_are_no_words_and_numbers_in_brackets_are_numbers() -> None:
    assert compute_similarity("It burns colza oil [cite:k7f2qa].", "It burns colza oil [cite:b2, c3].") == 1
    assert compute_similarity("The median of [1, 5] is known.", "The median of [2, 7] is known.") == 0


def test_an_empty_answer_agrees_with_no_other() -> None:
    assert (compute_similarity("", "The lamp burns."), compute_similarity("", "")) == (0, 1)


def test_a_bare_number_agrees_with_a_sentence_that_holds_it() -> None:
    assert (compute_similarity("42", "The result is 42."), compute_similarity("41", "The result is 42.")) == (1, 0)


def test_scripts_without_spaces_are_compared_by_the_character() -> None:
    assert 0.5 < compute_similarity("灯塔使用菜籽油。", "灯塔烧的是菜籽油。") < 1


def test_answers_about_other_things_do_not_agree() -> None:
    assert compute_similarity("The lamp burns colza oil.", "Nobody knows when it rained") == 0


messages = st.one_of(
    st.text(max_size=60).map(says),
    st.lists(
        st.tuples(
            st.sampled_from(("pay", "mail")),
            st.dictionaries(st.sampled_from("ab"), st.integers(0, 2) | st.sampled_from((BODY, OTHER_BODY))),
        ),
        min_size=1,
        max_size=4,
    ).map(lambda made: calls(*made)),
)


@given(messages, messages)
def test_agreement_is_a_share_and_the_same_from_both_sides(one: Message, other: Message) -> None:
    assert 0 <= compute_agreement(one, other) <= 1
    assert compute_agreement(one, other) == pytest.approx(compute_agreement(other, one))


@given(messages)
def test_a_reply_agrees_with_itself(one: Message) -> None:
    assert compute_agreement(one, one) == pytest.approx(1)
