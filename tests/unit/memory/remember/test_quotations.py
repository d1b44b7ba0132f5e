"""What of an answer repeats what was shown, with and without words around it."""

import pytest

from pentad.memory.remember.quotations import ShownToModel

POLICY = "Refunds are paid within thirty days of the purchase."
SHOWN = ShownToModel(["Something else altogether was said here.", f"Intro. {POLICY} End."])


def own(answer: str, shown: ShownToModel = SHOWN) -> list[str]:
    return [answer[start:end].strip() for start, end in shown.find_own(answer)]


@pytest.mark.parametrize(
    "answer",
    [
        POLICY,
        f"As you said: {POLICY}",
        f'As you said, "{POLICY}"',
        'You said "refunds are paid within thirty days of the purchase".',
        'You said "refunds are paid within thirty days".',
        "You told me that refunds are paid within thirty days of the purchase.",
        "You told me that refunds are paid within thirty days.",
        "Earlier you mentioned refunds are paid within thirty days of the purchase.",
        "Refunds are paid within thirty days of the purchase, as you said.",
        "Note \u2014 refunds are paid within thirty days of the purchase.",
        f"> {POLICY}",
        f"- {POLICY}",
        f"1. {POLICY}",
        f"2) {POLICY}",
        "**Refunds** are paid within *thirty days* of the purchase [cite:k7f2qa].",
        "Refunds are paid within\nthirty days of the purchase.",
        "> Refunds are paid within\n> thirty days of the purchase.",
        "Wie Sie sagten: \u201eRefunds are paid within thirty days of the purchase\u201c.",
        "Vous avez dit\u00a0: \u00ab\u00a0Refunds are paid within thirty days of the purchase\u00a0\u00bb.",
        "\u5982\u60a8\u6240\u8bf4\uff1aRefunds are paid within thirty days of the purchase\u3002",
    ],
)
def test_a_repeat_is_nobodys_word_whatever_stands_around_it(answer: str) -> None:
    assert own(answer) == []


def test_what_an_answer_adds_to_a_quotation_stays() -> None:
    answer = f"1. Take the receipt along.\n2. {POLICY}\nYou have until Friday: {POLICY[:-1]}, so you should hurry."
    assert own(answer) == ["1. Take the receipt along.", "so you should hurry."]
    assert own(f"The shop in Graz told us something on Monday: {POLICY}") == [
        "The shop in Graz told us something on Monday:"
    ]


@pytest.mark.parametrize(
    "answer",
    [
        "You should ask the shop for a refund today.",
        "If you are paid within thirty days, you may keep it.",
        "Refunds are not paid within thirty days of the purchase.",
        "1. First.\n2. Second, and nothing else.",
        "Yes.",
    ],
)
def test_words_of_its_own_stay_whole(answer: str) -> None:
    assert own(answer) == [answer]


def test_nothing_is_a_quotation_where_nothing_was_shown() -> None:
    assert own(POLICY, ShownToModel([])) == own(POLICY, ShownToModel(["", " "])) == [POLICY]
