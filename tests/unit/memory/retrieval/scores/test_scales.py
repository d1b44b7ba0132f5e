"""A relevance means the same with each embedding model; which cosine it is, its row says."""

import math
from dataclasses import replace
from datetime import date

import pytest

from pentad.domain.declarations.agents import KnowledgeSpec
from pentad.memory.retrieval.scores.scales import SCALES, ModelScale, find_minimum
from pentad.models.catalog.catalog import load
from twin.embeddings import MODEL_ID

ROW = ModelScale(model="m", midpoint=0.3, slope=20.0, fitted_at=date(2026, 11, 30), source="a test")


def test_the_chances_are_even_at_the_midpoint_and_rise_with_the_cosine() -> None:
    assert ROW.rate(0.3) == 0.5
    rates = [ROW.rate(number / 10) for number in range(-10, 11)]
    assert rates == sorted(rates)
    assert (rates[0] < 0.001, rates[-1] > 0.999) == (True, True)


@pytest.mark.parametrize("relevance", [0.01, 0.02, 0.1, 0.5, 0.9])
def test_the_cosine_of_a_relevance_is_where_it_is_reached(relevance: float) -> None:
    assert ROW.rate(ROW.find_cosine(relevance)) == pytest.approx(relevance)


def test_no_relevance_is_no_minimum_and_all_of_it_is_never_reached_by_chance() -> None:
    assert (ROW.find_cosine(0.0), ROW.find_cosine(1.0)) == (-1.0, 1.0)
    assert replace(ROW, slope=0.5).find_cosine(0.001) == -1.0
    assert all(math.isfinite(row.rate(cosine)) for row in SCALES.values() for cosine in (-1.0, 0.0, 1.0))


def test_the_same_relevance_is_another_cosine_with_another_model() -> None:
    narrow = replace(ROW, midpoint=0.8, slope=60.0)
    assert ROW.find_cosine(0.02) < 0.2 < 0.7 < narrow.find_cosine(0.02)


def test_a_translated_cosine_has_the_same_relevance() -> None:
    narrow = replace(ROW, midpoint=0.8, slope=60.0)
    for cosine in (0.6, 0.78, 0.8, 0.9):
        assert ROW.rate(narrow.translate(cosine, ROW)) == pytest.approx(narrow.rate(cosine))
    assert ROW.translate(0.4, ROW) == pytest.approx(0.4)


def test_each_embedding_model_of_the_catalog_and_the_laptops_have_a_row_that_says_where_it_is_from() -> None:
    models = {name for name, entry in load(strict=True).models.items() if entry.kind == "embedding"}
    assert models | {MODEL_ID} <= SCALES.keys()
    for name, row in SCALES.items():
        assert row.model == name
        assert len(row.source.split()) > 5
        assert (row.fitted_at is None) == ("not measured" in row.source)


def test_the_default_is_what_the_minimum_for_all_models_was() -> None:
    minimum = find_minimum(MODEL_ID, KnowledgeSpec().minimum_relevance)
    assert minimum == pytest.approx(0.154, abs=0.01)


def test_of_an_unknown_model_nothing_is_said() -> None:
    assert find_minimum("no-such-model", 0.02) is None
