"""What was just told in a conversation: not what was asked, nor what answered that."""

import pytest

from pentad.domain.messages import Message, TextBlock, ToolResultBlock
from pentad.memory.context.told import RECENT, find_told
from pentad.memory.sessions.ports import StoredMessage
from tests.unit.memory.fakes import START


def stored(seq: int, text: str, *, is_user: bool, is_result: bool = False) -> StoredMessage:
    block = ToolResultBlock(call_id="c1", content=text) if is_result else TextBlock(text=text)
    message = Message(message_id=f"m{seq}", role="user" if is_user else "assistant", blocks=(block,), created_at=START)
    return StoredMessage(seq=seq, message=message)


def talk(*texts: str) -> list[StoredMessage]:
    """Return messages in turns, the user first; the last is what is asked now."""
    return [stored(seq, text, is_user=seq % 2 == 0) for seq, text in enumerate(texts)]


TOLD = "I painted a horse last week."


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ((TOLD, "Lovely. Horses are hard.", "What else?"), {0, 1}),
        ((TOLD, "Which colours?", "What else?"), {0}),
        (("Where do I live?", "I don't know where you live.", "In which city is my flat?"), set()),
        (("Thanks! Where do I live?", "I don't know.", "In which city is my flat?"), set()),
        (("I moved. Where do I live?", "You told me of Graz.", "Since when?"), {0, 1}),
        (("Where do I live?", "In Graz.", TOLD, "Lovely.", "What else?"), {2, 3}),
        (("Draft a letter to my aunt.", "Dear aunt, I painted a horse.", "What did I paint?"), set()),
        (("What else?",), set()),
    ],
)
def test_what_is_told_counts_and_what_is_asked_and_answered_does_not(texts: tuple[str, ...], told: set[int]) -> None:
    assert find_told(talk(*texts), 0) == told


def test_only_the_newest_that_the_model_is_sent_count() -> None:
    window = talk(*(TOLD for _ in range(31)))
    assert find_told(window, 0) == set(range(30 - RECENT, 30))
    assert find_told(window, 27) == {27, 28, 29}


def test_an_answer_whose_question_was_not_read_and_results_of_tools_do_not_count() -> None:
    answer = stored(4, "You live in Graz.", is_user=False)
    result = stored(5, "graz", is_user=True, is_result=True)
    assert (
        find_told([answer, result, answer.model_copy(update={"seq": 6}), stored(7, "Why?", is_user=True)], 0) == set()
    )
