"""Fill secrets with the values that the options give: real keys, or the addresses of the twin's stand-ins."""

import json
from collections.abc import Mapping
from typing import Any

MODELS_URL = "{models_url}"
VECTORS_URL = "{vectors_url}"


class NoStandIn(Exception):
    """A secret asks for the address of a stand-in that does not run."""

    def __init__(self, secret: str, placeholder: str) -> None:
        super().__init__(
            f"the secret '{secret}' needs {placeholder}, but no vector index runs: "
            "give the option 'vector_dimension' (--vector-dimension)"
        )


def fill_secrets(
    client: Any,
    secrets: Mapping[str, str],
    values: Mapping[str, Mapping[str, str] | str],
    *,
    models_url: str,
    vectors_url: str | None,
) -> None:
    """Store the values of the secrets that are named; the others stay as they were deployed.

    Args:
        client: a Secrets Manager client.
        secrets: ARNs of the deployed secrets by name.
        values: fields or a text by a secret's name or the last part of it, with placeholders for the stand-ins'
            addresses in fields.
        models_url: what `{models_url}` stands for.
        vectors_url: what `{vectors_url}` stands for; None where no vector index runs.

    Raises:
        NoStandIn: a field names `{vectors_url}` and no vector index runs.
    """
    for name, arn in secrets.items():
        fields = values.get(name, values.get(name.rsplit("/", 1)[-1]))
        if fields is None:
            continue
        if isinstance(fields, str):
            client.put_secret_value(SecretId=arn, SecretString=fields)
            continue
        if vectors_url is None and any(VECTORS_URL in text for text in fields.values()):
            raise NoStandIn(name, VECTORS_URL)
        filled = {
            key: text.replace(MODELS_URL, models_url).replace(VECTORS_URL, vectors_url or "")
            for key, text in fields.items()
        }
        client.put_secret_value(SecretId=arn, SecretString=json.dumps(filled))


def add_secrets(client: Any, secrets: Mapping[str, str], values: Mapping[str, str]) -> None:
    """Store secrets by their full names, and make those that no stack has.

    Args:
        client: a Secrets Manager client.
        secrets: ARNs of the deployed secrets by name.
        values: texts by name.
    """
    for name, text in values.items():
        if name in secrets:
            client.put_secret_value(SecretId=secrets[name], SecretString=text)
        else:
            client.create_secret(Name=name, SecretString=text)
