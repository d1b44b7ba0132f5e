"""Words as sparse vectors."""

from pentad.memory.retrieval.adapters.pinecone_sparse import MAX_WORDS, encode_query, encode_text


def score(question: str, text: str) -> float:
    indices, values = encode_text(text)
    numbers = dict(zip(indices, values, strict=True))
    return sum(numbers.get(index, 0.0) * value for index, value in zip(*encode_query(question), strict=True))


def test_the_product_is_larger_the_more_words_are_shared() -> None:
    both, one, none = "overdraft fee of an account", "overdraft of an account", "of an account"
    question = "the fee of the overdraft"
    assert score(question, both) > score(question, one) > score(question, none)


def test_long_words_count_more_than_short_ones() -> None:
    assert score("is the overdraft", "overdraft") > score("is the overdraft", "is the")


def test_a_text_of_many_words_keeps_the_most_frequent() -> None:
    text = " ".join(f"w{n}q" for n in range(MAX_WORDS + 50)) + " overdraft" * 3
    assert len(encode_text(text)[0]) == MAX_WORDS
    assert score("overdraft", text) > 0
    assert encode_text("") == encode_query("?") == ([], [])
