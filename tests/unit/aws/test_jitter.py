"""Jitter in processes that were restored from one snapshot."""

import inspect
import random

import pytest

from pentad.aws.jitter import draw
from pentad.models.budgets.adapters.budgets_dynamodb import DynamoBudget
from pentad.models.gateway.compose import compose_chat
from pentad.models.gateway.embeddings import EmbeddingGateway
from pentad.models.gateway.gateway import Gateway
from pentad.models.ledger.adapters.ledger_dynamodb import DynamoDBLedger


def test_two_restores_of_one_state_draw_different_numbers() -> None:
    frozen = random.getstate()
    first = [draw() for _ in range(4)]
    random.setstate(frozen)
    assert [draw() for _ in range(4)] != first
    assert all(0 <= number < 1 for number in first)


@pytest.mark.parametrize("made", [DynamoBudget, DynamoDBLedger, EmbeddingGateway, Gateway, compose_chat])
def test_what_waits_in_the_gateway_draws_from_the_system(made: object) -> None:
    assert inspect.signature(made).parameters["random"].default is draw  # type: ignore[arg-type]
