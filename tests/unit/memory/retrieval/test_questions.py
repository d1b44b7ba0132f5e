"""Long questions in parts."""

import pytest

from pentad.memory.retrieval.questions import MOST_PARTS, split_question

FILLER = "I hope that you can help me with some things before I leave for my vacation next week with my family."


@pytest.mark.parametrize("text", ["", "How do I close it?", "Thanks. " * 10, "one word after another " * 20])
def test_what_is_short_or_one_sentence_stays_whole(text: str) -> None:
    assert split_question(text) == ((text.strip(),) if text else ())


def test_a_long_question_is_searched_for_whole_and_by_sentences() -> None:
    text = f"Hi! {FILLER} Where is my card? Why was I charged 2.50 dollars yesterday?"
    assert split_question(text) == (text, FILLER, "Where is my card?", "Why was I charged 2.50 dollars yesterday?")


def test_lines_and_marks_of_other_scripts_end_sentences() -> None:
    text = "我想知道如何关闭我的储蓄账户。另外我的银行卡昨天丢了，应该怎么办？还有上个月的利息为什么比广告上写的要低？"  # noqa: RUF001
    assert len(split_question(text)) == 4
    lines = f"{FILLER}\n- the first point of my list\n- the second point of my list"
    assert len(split_question(lines)) == 4


def test_parts_are_bounded_and_each_comes_once() -> None:
    text = " ".join(f"This is the sentence with number {n}." for n in range(40))
    parts = split_question(text)
    assert len(parts) == MOST_PARTS
    assert parts[-1].endswith("39.")
    assert len(split_question("The same sentence comes again. " * 20)) == 1
