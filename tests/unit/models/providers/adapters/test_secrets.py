"""Credentials: read when needed, kept for minutes, never shown."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from pentad.domain.errors import ConfigurationError, StoreUnavailable
from pentad.models.providers.adapters.secrets import SecretCredentials, SecretsManagerSecrets
from pentad.models.providers.exchange import ProviderCredentials

KEY = "sk-very-secret"


class Store:
    """A secretsmanager client that counts."""

    def __init__(self, *answers: str | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def get_secret_value(self, SecretId: str) -> dict[str, Any]:
        self.asked.append(SecretId)
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"SecretString": answer}


def _error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "m"}}, "GetSecretValue")


def test_a_secret_is_read_once_in_its_time() -> None:
    now = [0.0]
    store = Store(f'{{"api_key": "{KEY}"}}')
    secrets = SecretsManagerSecrets(store, ttl=300, clock=lambda: now[0])
    for now[0] in (0.0, 299.0, 301.0):
        secrets.get_json("a")
    assert store.asked == ["a", "a"]


def test_a_forgotten_secret_is_read_anew() -> None:
    store = Store('{"api_key": "old"}', '{"api_key": "new"}')
    source = SecretCredentials(SecretsManagerSecrets(store), "a")
    assert source.get().api_key == "old"
    source.forget()
    assert source.get().api_key == "new"


def test_the_number_of_kept_secrets_is_bounded() -> None:
    store = Store("{}")
    secrets = SecretsManagerSecrets(store)
    for number in range(100):
        secrets.get_json(str(number))
    assert repr(secrets) == "SecretsManagerSecrets(16 kept)"


def test_no_text_form_shows_the_key() -> None:
    credentials = ProviderCredentials(KEY, "http://localhost")
    secrets = SecretsManagerSecrets(Store(f'{{"api_key": "{KEY}"}}'))
    secrets.get_json("a")
    assert KEY not in f"{credentials!r} {credentials!s} {secrets!r} {secrets!s}"


@pytest.mark.parametrize("text", [f"{KEY}", f'["{KEY}"]', f'{{"api_key": "{KEY}'])
def test_a_secret_that_is_no_json_object_is_an_error_that_does_not_show_it(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SecretsManagerSecrets(Store(text)).get_json("a")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("text", ["{}", '{"api_key": ""}', '{"api_key": 5}'])
def test_a_secret_without_a_key_is_an_error(text: str) -> None:
    with pytest.raises(ConfigurationError, match="api_key"):
        SecretCredentials(SecretsManagerSecrets(Store(text)), "a").get()


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ResourceNotFoundException", ConfigurationError),
        ("AccessDeniedException", ConfigurationError),
        ("DecryptionFailure", ConfigurationError),
        ("ThrottlingException", StoreUnavailable),
    ],
)
def test_errors_of_the_store_are_translated(code: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        SecretsManagerSecrets(Store(_error(code))).get_json("a")
