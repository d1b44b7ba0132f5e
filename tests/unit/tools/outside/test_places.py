"""Where the secret of a tenant is: never another tenant's."""

import pytest
from pydantic import ValidationError

from pentad.tools.outside.places import SecretPlace, name_tool_secret


def test_a_secret_is_shared_or_each_tenants_own_or_that_of_those_listed() -> None:
    name = name_tool_secret("pentad-dev", "hubspot")
    assert name == "pentad-dev/tools/hubspot"
    assert SecretPlace(secret=name).find("acme") == name
    assert SecretPlace(secret=name, tenants=True).find("acme") == f"{name}/acme"
    some = SecretPlace(secret=name, tenants=("acme",))
    assert (some.find("acme"), some.find("globex")) == (f"{name}/acme", name)


def test_a_tenant_is_an_id() -> None:
    with pytest.raises(ValidationError):
        SecretPlace(secret="x", tenants=("../globex",))
