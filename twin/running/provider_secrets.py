"""Fill the providers' secrets: with the real keys that were given, with the stand-ins' addresses for all others."""

import json
from collections.abc import Mapping
from typing import Any


def seed(
    client: Any, secrets: Mapping[str, str], keys: Mapping[str, str], stand_ins: Mapping[str, Mapping[str, str]]
) -> None:
    """Store each provider's secret.

    Args:
        client: a Secrets Manager client.
        secrets: ARNs by name; the name's last part is the provider.
        keys: real keys by provider.
        stand_ins: where the providers' stand-ins are, by provider.
    """
    for name, arn in secrets.items():
        provider = name.rsplit("/", 1)[-1]
        value: dict[str, str] | None = None
        if keys.get(provider):
            value = {"api_key": keys[provider]}
        elif provider in stand_ins:
            value = {"api_key": "local", **stand_ins[provider]}
        if value is not None:
            client.put_secret_value(SecretId=arn, SecretString=json.dumps(value))
