"""Words of texts and how well they match."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.memory.retrieval.words import K1, B, WordIndex, covers, pick_query_words, split_words, stem_word


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The Cards' fees, 2.5%", ["the", "card", "fee", "2", "5"]),
        ("Overdrafts overdraft OVERDRAFT", ["overdraft"] * 3),
        ("transfer transfers transferred transferring", ["transf"] * 4),
        ("policy policies", ["polici"] * 2),
        ("Straße Überweisung", ["strass", "uberweisung"]),
        ("état été", ["etat", "ete"]),
        ("客户冻结", ["客户", "户冻", "冻结"]),
        ("卡", ["卡"]),
        ("Visa卡を止める", ["visa", "卡を", "を止", "止め", "める"]),
        ("snake_case camelCase", ["snak", "cas", "camelca"]),
        ("ﬁnance ①", ["financ", "1"]),
        ("مَكْتَب", ["مكتب"]),
        ("", []),
        ("?!… —", []),
    ],
)
def test_words_are_folded_and_stemmed(text: str, words: list[str]) -> None:
    assert split_words(text) == words


@given(st.text())
def test_words_of_the_words_are_the_same(text: str) -> None:
    words = split_words(text)
    assert split_words(" ".join(words)) == words


@given(st.from_regex(r"[a-z]{1,20}", fullmatch=True))
def test_the_stem_of_a_stem_is_itself(word: str) -> None:
    assert stem_word(stem_word(word)) == stem_word(word)


def test_a_question_has_each_word_once_and_a_bound() -> None:
    assert pick_query_words("a b a") == ["a", "b"]
    assert len(pick_query_words(" ".join(f"w{n}" for n in range(1000)))) == 256


def test_rare_words_count_more_and_long_texts_less() -> None:
    index = WordIndex()
    for n in range(20):
        index.put(f"c{n}", split_words("account number"))
    index.put("rare", split_words("account overdraft"))
    index.put("long", split_words("account overdraft " + "and more of it " * 50))
    scores = index.score(split_words("account overdraft"))
    assert scores["rare"] > scores["long"] > scores["c0"]


def test_an_index_scores_as_the_formula_does() -> None:
    index, texts = WordIndex(), {"a": "one two two", "b": "two three", "c": "four"}
    for name, text in texts.items():
        index.put(name, text.split())
    norm = K1 * (1 - B + B * 3 / 2)  # "a" has 3 words, the mean is 2
    expected = sum(
        math.log(1 + (3 - texts_with + 0.5) / (texts_with + 0.5)) * count * (K1 + 1) / (count + norm)
        for count, texts_with in ((2, 2), (1, 1))
    )
    assert index.score(["two", "one"])["a"] == pytest.approx(expected)


def test_what_is_dropped_or_replaced_leaves_nothing() -> None:
    index = WordIndex()
    index.put("a", ["one", "two"])
    index.put("a", ["three"])
    index.put("b", ["two"])
    index.drop("b")
    index.drop("never")
    assert index.score(["one", "two"]) == {}
    assert len(index) == 1


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("overdraft fee", "The fee of an overdraft.", True),
        ("What is 20 + 22?", "What is said is said.", False),
        ("What is 20 + 22?", "20 and 22: what it is", True),
        ("error E-4021", "Error E-4021: declined", True),
        ("error E-4021", "Error E-5000: declined", False),
        ("冻结银行卡", "客户可以冻结银行卡", True),
        ("overdraft", "mortgage", False),
        ("?", "anything", False),
        ("", "", False),
    ],
)
def test_a_text_covers_a_question_by_what_its_words_say(question: str, text: str, expected: bool) -> None:
    assert covers(question, text, 0.6) is expected
