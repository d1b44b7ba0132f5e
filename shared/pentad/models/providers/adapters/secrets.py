"""Credentials from AWS Secrets Manager, at call time, kept for minutes in memory and nowhere else.

Powertools' parameters would do the fetch, but it has no bound on its cache, no way to forget one secret (a rotated
key would be refused until the time is up), no clock to inject, and puts what it can't parse into its exceptions'
chain.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from pentad.aws.errors import translate_errors
from pentad.domain.errors import ConfigurationError
from pentad.domain.reading.json_text import read_json
from pentad.models.providers.exchange import ProviderCredentials
from pentad.models.providers.ports import CredentialSource, Secrets

_TTL_SECONDS = 300.0
_MAX_SECRETS = 16


class SecretsManagerSecrets:
    """A `pentad.models.providers.ports.Secrets` over Secrets Manager.

    Args:
        client: boto3's client of secretsmanager.
        ttl: seconds a value is kept.
        clock: seconds.
    """

    def __init__(self, client: Any, *, ttl: float = _TTL_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._ttl = ttl
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, Mapping[str, Any]]] = OrderedDict()

    def __repr__(self) -> str:
        """Return the form for readers: how many are kept, never what."""
        return f"SecretsManagerSecrets({len(self._kept)} kept)"

    def get_json(self, secret_id: str) -> Mapping[str, Any]:
        """Return a secret; see the port."""
        kept = self._kept.get(secret_id)
        if kept is not None and self._clock() < kept[0]:
            return kept[1]
        value = self._fetch(secret_id)
        self._kept[secret_id] = (self._clock() + self._ttl, value)
        self._kept.move_to_end(secret_id)
        while len(self._kept) > _MAX_SECRETS:
            self._kept.popitem(last=False)
        return value

    def forget(self, secret_id: str) -> None:
        """Read the secret anew next time."""
        self._kept.pop(secret_id, None)

    def _fetch(self, secret_id: str) -> Mapping[str, Any]:
        try:
            with translate_errors("the secret store"):
                text = self._client.get_secret_value(SecretId=secret_id)["SecretString"]
        except (ClientError, KeyError) as error:
            raise ConfigurationError("a secret can't be read", fix="store it as a JSON object") from error
        try:
            value = read_json(text)
        except ValueError:
            value = None  # the error is not chained: it holds the text
        if not isinstance(value, dict):
            raise ConfigurationError("a secret is not a JSON object", fix='store {"api_key": "..."}')
        return value


class SecretCredentials:
    """A `pentad.models.providers.ports.CredentialSource`: the secret ``{api_key, base_url?}`` of one provider.

    Args:
        secrets: where it is kept.
        secret_id: its name or ARN.
    """

    def __init__(self, secrets: Secrets, secret_id: str) -> None:
        self._secrets = secrets
        self._secret_id = secret_id

    def get(self) -> ProviderCredentials:
        """Return the credential; see the port."""
        secret = self._secrets.get_json(self._secret_id)
        key, base_url = secret.get("api_key"), secret.get("base_url")
        if not isinstance(key, str) or not key:
            raise ConfigurationError("the secret has no api_key", field="api_key", fix="store the provider's key in it")
        return ProviderCredentials(key, base_url if isinstance(base_url, str) and base_url else None)

    def forget(self) -> None:
        """Read it anew next time."""
        self._secrets.forget(self._secret_id)


class FixedCredentials:
    """A `pentad.models.providers.ports.CredentialSource` that always gives the same: for scripts and tests."""

    def __init__(self, api_key: str, base_url: str | None = None) -> None:
        self._credentials = ProviderCredentials(api_key, base_url)

    def get(self) -> ProviderCredentials:
        """Return the credential."""
        return self._credentials

    def forget(self) -> None:
        """Do nothing: there is no other."""


class PlacedCredentials:
    """A `pentad.models.providers.ports.CredentialSource` with the catalog's base URL, unless the secret names one.

    Args:
        source: the credential.
        base_url: of the provider.
    """

    def __init__(self, source: CredentialSource, base_url: str) -> None:
        self._source = source
        self._base_url = base_url

    def get(self) -> ProviderCredentials:
        """Return the credential; see the port."""
        found = self._source.get()
        return ProviderCredentials(found.api_key, found.base_url or self._base_url)

    def forget(self) -> None:
        """Read it anew next time."""
        self._source.forget()
