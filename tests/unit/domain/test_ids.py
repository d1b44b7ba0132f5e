"""Identifiers that callers choose."""

import pytest

from pentad.domain.errors import InvalidInput
from pentad.domain.ids import RESERVED_TENANTS, check_id


@pytest.mark.parametrize("name", sorted(RESERVED_TENANTS))
def test_a_tenant_has_no_name_of_a_place_in_the_payload_bucket(name: str) -> None:
    with pytest.raises(InvalidInput, match=f"'{name}' is a reserved name"):
        check_id("tenant", name)
    assert check_id("tenant", f"{name}-1") == f"{name}-1"
    assert check_id("user", name) == name
