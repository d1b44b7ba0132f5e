"""Whose words a conversation has: quotations, tools and the system are nobody's."""

from pentad.domain.knowledge import Passage
from pentad.domain.messages import ContentBlock, Message, TextBlock, ToolCallBlock, ToolResultBlock
from pentad.memory.remember.own_words import find_own_words
from pentad.memory.remember.ports import Spoken
from pentad.memory.sessions.ports import StoredMessage
from tests.unit.memory.fakes import RUN, START

POLICY = "Refunds are paid within thirty days of the purchase."


def message(
    seq: int, role: str, *blocks: ContentBlock | str, step: int | None = None, stop: str | None = None
) -> Message:
    made = tuple(TextBlock(text=block) if isinstance(block, str) else block for block in blocks)
    default = 0 if role == "user" else 1
    return Message.model_validate(
        {
            "message_id": f"m{seq}",
            "role": role,
            "blocks": made,
            "created_at": START,
            "run_id": RUN,
            "step": default if step is None else step,
            "stop_reason": stop,
        }
    )


def stored(*messages: Message, passages: tuple[str, ...] = ()) -> list[StoredMessage]:
    found = tuple(
        Passage(passage_id=text, document="d", version="1", title="t", text=text, start=0, end=len(text), score=1)
        for text in passages
    )
    return [StoredMessage(seq=seq, message=one, passages=found if seq == 0 else ()) for seq, one in enumerate(messages)]


def said(words: tuple[Spoken, ...]) -> list[tuple[int, str, str]]:
    return [(one.seq, one.speaker, one.words) for one in words]


def test_what_both_sides_say_is_theirs() -> None:
    words = find_own_words(stored(message(0, "user", "I moved to Graz."), message(1, "assistant", "Good to know!")))
    assert said(words) == [(0, "user", "I moved to Graz."), (1, "assistant", "Good to know!")]


def test_a_sentence_that_repeats_a_passage_is_no_ones_however_it_is_written() -> None:
    answer = (
        "You asked about money. refunds are paid within  thirty days, of the purchase [cite:k7f2qa]. Anything else?"
    )
    words = find_own_words(
        stored(message(0, "user", "When?"), message(1, "assistant", answer), passages=(f"Intro. {POLICY} End.",))
    )
    assert said(words)[1:] == [(1, "assistant", "You asked about money. Anything else?")]
    assert all(answer[start:end] in answer for start, end in words[1].own)


def test_an_answer_that_only_quotes_says_nothing() -> None:
    words = find_own_words(stored(message(0, "user", "When?"), message(1, "assistant", POLICY), passages=(POLICY,)))
    assert said(words) == [(0, "user", "When?")]


def test_a_short_sentence_is_no_quotation() -> None:
    words = find_own_words(stored(message(0, "user", "Ok?"), message(1, "assistant", "Yes."), passages=("Yes.",)))
    assert said(words)[1:] == [(1, "assistant", "Yes.")]


def test_tool_results_are_no_ones_words_nor_is_what_repeats_them() -> None:
    call = ToolCallBlock(call_id="c", tool="weather", arguments={})
    result = ToolResultBlock(call_id="c", content="In Graz it will rain all of the afternoon.")
    conversation = stored(
        message(0, "user", "Weather?"),
        message(1, "assistant", "I'll look.", call),
        message(2, "user", result, step=1),
        message(3, "assistant", "In Graz it will rain all of the afternoon. Take a coat.", step=2),
    )
    words = find_own_words(conversation)
    assert said(words) == [
        (0, "user", "Weather?"),
        (1, "assistant", "I'll look."),
        (3, "assistant", "Take a coat."),
    ]
    # A part may begin after the result: what stands before it is given along.
    assert said(find_own_words(conversation[3:], conversation[:3])) == [(3, "assistant", "Take a coat.")]


def test_words_of_the_system_and_of_other_humans_are_left_out() -> None:
    words = find_own_words(
        stored(
            message(0, "user", "Do it."),
            message(1, "assistant", "The work was stopped.", stop="steps"),
            message(2, "user", "A human rejected the draft: too long.", step=3),
            message(3, "user", ToolResultBlock(call_id="c", content="x"), "Go on where you stopped.", step=0),
        )
    )
    assert said(words) == [(0, "user", "Do it.")]


def test_words_of_any_script_are_kept_and_compared() -> None:
    rule = "退款将在购买之日起三十天内支付给客户，且不收取任何额外的费用或手续费。"  # noqa: RUF001 - Chinese
    words = find_own_words(
        stored(message(0, "user", "何时？"), message(1, "assistant", f"好的。{rule}还有吗？"), passages=(rule,))  # noqa: RUF001
    )
    assert said(words)[1:] == [(1, "assistant", "好的。还有吗？")]  # noqa: RUF001


def test_a_hostile_text_takes_linear_time_and_stays_whole() -> None:
    # Quadratic, this would take minutes: the suite's own limit would end it.
    text = "." * 300_000 + " " + "a" * 300_000
    [words] = find_own_words(stored(message(0, "assistant", text)))
    assert words.words == text
