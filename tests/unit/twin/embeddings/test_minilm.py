"""The local embedder gives the published model's vectors."""

from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from twin.embeddings import (
    DIMENSION,
    MAX_TOKENS,
    MiniLM,
    WeightsError,
    WeightsFiles,
    get_shared_model,
    locate_weights,
    resize,
)
from twin.embeddings.encoder import Encoder
from twin.embeddings.weights import verify_weights


@pytest.fixture(scope="module")
def model() -> MiniLM:
    return get_shared_model()


def test_cosines_equal_those_of_the_published_examples(model: MiniLM) -> None:
    """The values are those of the model card and of sentence-transformers' own quickstart."""
    texts = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
    vectors = model.embed(texts)
    expected = [[1.0, 0.6660, 0.1046], [0.6660, 1.0, 0.1411], [0.1046, 0.1411, 1.0]]
    np.testing.assert_allclose(vectors @ vectors.T, expected, atol=1e-3)


def test_a_paraphrase_scores_above_an_unrelated_sentence(model: MiniLM) -> None:
    query, near, far = model.embed(
        ["How are session messages stored?", "Where does the chat history live?", "Bananas ripen in the sun."]
    )
    assert query @ near > query @ far + 0.1


def test_vectors_have_unit_length_and_384_numbers(model: MiniLM) -> None:
    vectors = model.embed(["one", "two words", ""])
    assert vectors.shape == (3, DIMENSION)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_a_text_has_the_same_vector_alone_and_beside_a_longer_one(model: MiniLM) -> None:
    short = model.token_ids("a short text")
    long = model.token_ids("a much longer text " * 40)
    encoder = Encoder(locate_weights().model)
    alone = encoder.encode([short])[0]
    np.testing.assert_allclose(encoder.encode([long, short])[1], alone, atol=1e-5)
    np.testing.assert_allclose(encoder.encode([short, long])[0], alone, atol=1e-5)


def test_the_same_text_gives_the_same_bytes() -> None:
    text = ["The same text, embedded by two objects."]
    assert MiniLM().embed(text).tobytes() == MiniLM().embed(text).tobytes()


def test_order_is_kept_when_texts_repeat_and_span_several_passes(model: MiniLM) -> None:
    texts = [f"sentence {index % 7} " + "word " * 150 for index in range(20)]
    vectors = model.embed(texts)
    for index, text in enumerate(texts):
        np.testing.assert_allclose(vectors[index], model.embed([text])[0], atol=1e-5)


def test_text_past_256_tokens_is_cut_and_keeps_its_closing_token(model: MiniLM) -> None:
    ids = model.token_ids("word " * 1000)
    assert len(ids) == MAX_TOKENS
    assert (ids[0], ids[-1]) == (101, 102)
    assert model.count_tokens("word " * 1000) == 1000


def test_nothing_is_loaded_before_the_first_text() -> None:
    model = MiniLM()
    assert model.embed([]).shape == (0, DIMENSION)
    assert not model.loaded


def test_padding_to_more_dimensions_keeps_cosines(model: MiniLM) -> None:
    vectors = model.embed(["cats purr", "dogs bark"])
    padded = resize(vectors, 1536)
    assert padded.shape == (2, 1536)
    np.testing.assert_allclose(padded @ padded.T, vectors @ vectors.T, atol=1e-6)


def test_fewer_dimensions_are_unit_vectors_again(model: MiniLM) -> None:
    cut = resize(model.embed(["cats purr"]), 64)
    assert cut.shape == (1, 64)
    assert np.linalg.norm(cut) == pytest.approx(1.0, abs=1e-5)


def test_weights_with_another_hash_are_refused(tmp_path: Path) -> None:
    real = locate_weights()
    false = tmp_path / "model.safetensors"
    false.write_bytes(b"not the weights")
    with pytest.raises(WeightsError, match="SHA-256"):
        verify_weights(WeightsFiles(model=false, tokenizer=real.tokenizer), tmp_path / "state")


def test_an_unchanged_file_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = locate_weights()
    verify_weights(files, tmp_path)

    def refuse() -> None:
        raise AssertionError("hashed again")

    monkeypatch.setattr("twin.embeddings.weights.hashlib.sha256", refuse)
    verify_weights(files, tmp_path)


def test_a_changed_file_is_hashed_again(tmp_path: Path) -> None:
    files = locate_weights()
    verify_weights(files, tmp_path)
    other = tmp_path / "model.safetensors"
    other.write_bytes(b"changed")
    with pytest.raises(WeightsError):
        verify_weights(WeightsFiles(model=other, tokenizer=files.tokenizer), tmp_path)


def test_the_model_runs_on_one_blas_thread(model: MiniLM) -> None:
    """Two threads on a machine with another busy process spin while they wait: 28 s for what one does in 8."""
    model.load()
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    assert pools and {pool["num_threads"] for pool in pools} == {1}
