"""Secrets are filled with what the options give, and with nothing else."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from twin.running.secrets import NoStandIn, add_secrets, fill_secrets


class Secrets:
    """Takes values as Secrets Manager does."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def put_secret_value(self, *, SecretId: str, SecretString: str) -> None:
        self.values[SecretId] = json.loads(SecretString)

    def create_secret(self, *, Name: str, SecretString: str) -> None:
        assert Name not in self.values
        self.values[Name] = json.loads(SecretString)


def filled(values: Mapping[str, Mapping[str, str] | str], vectors_url: str | None = "http://v") -> dict[str, Any]:
    client = Secrets()
    fill_secrets(client, {"shop/openai": "a", "shop/card": "b"}, values, models_url="http://m", vectors_url=vectors_url)
    return client.values


def test_a_secret_is_named_whole_or_by_its_last_part() -> None:
    assert filled({"openai": {"api_key": "k"}, "shop/card": {"pin": "1"}}) == {"a": {"api_key": "k"}, "b": {"pin": "1"}}


def test_the_whole_name_wins() -> None:
    assert filled({"openai": {"api_key": "k"}, "shop/openai": {"api_key": "own"}}) == {"a": {"api_key": "own"}}


def test_placeholders_become_the_addresses_of_the_stand_ins() -> None:
    values = {"openai": {"base_url": "{models_url}/v1", "index": "{vectors_url}"}}
    assert filled(values) == {"a": {"base_url": "http://m/v1", "index": "http://v"}}


def test_a_secret_that_needs_a_missing_index_says_which_option_to_give() -> None:
    with pytest.raises(NoStandIn, match=r"'shop/openai' needs .* give the option 'vector_dimension'"):
        filled({"openai": {"index": "{vectors_url}"}}, vectors_url=None)


def test_a_text_is_stored_as_it_is() -> None:
    assert filled({"shop/card": '{"url": "{models_url}"}'}) == {"b": {"url": "{models_url}"}}


def test_a_secret_that_no_stack_has_is_made() -> None:
    client = Secrets()
    add_secrets(client, {"shop/card": "b"}, {"shop/card": "1", "shop/tools/crm/acme": "2"})
    assert client.values == {"b": 1, "shop/tools/crm/acme": 2}
