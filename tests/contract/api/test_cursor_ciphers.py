"""What every cipher of cursors does: it opens what it sealed for the same names, and nothing else."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from pentad.api.adapters.cursor_ciphers import KmsCursors, MemoryCursors
from pentad.api.ports import CursorCipher
from pentad.aws.kms_text import KmsText
from tests.moto_clients import client

CURSOR = "eyJwayI6ICJUI2FjbWUjRE9DUyJ9" * 100
WHOSE = {"tenant_id": "acme", "user_id": "ann", "route": "list_documents"}


@pytest.fixture(params=["kms", "memory"])
def cipher(request: pytest.FixtureRequest) -> Iterator[CursorCipher]:
    if request.param == "memory":
        yield MemoryCursors()
        return
    with mock_aws():
        kms = client("kms")
        yield KmsCursors(KmsText(kms, kms.create_key()["KeyMetadata"]["Arn"]))


def test_it_opens_what_it_sealed(cipher: CursorCipher) -> None:
    sealed = cipher.seal(CURSOR, **WHOSE)
    assert CURSOR not in sealed
    assert sealed.replace("=", "").replace("-", "").replace("_", "").isalnum()  # it stands in an address as it is
    assert cipher.open(sealed, **WHOSE) == CURSOR


@pytest.mark.parametrize("other", [{"tenant_id": "globex"}, {"user_id": "bob"}, {"route": "list_runs"}])
def test_it_is_of_one_tenant_user_and_list(cipher: CursorCipher, other: dict[str, str]) -> None:
    sealed = cipher.seal(CURSOR, **WHOSE)
    assert cipher.open(sealed, **{**WHOSE, **other}) is None


@pytest.mark.parametrize("forged", ["", "x", "=", "\u00e9", "a b", CURSOR, "W10=", "bnVsbA==", "A" * 8_000])
def test_what_it_did_not_seal_is_no_cursor(cipher: CursorCipher, forged: str) -> None:
    assert cipher.open(forged, **WHOSE) is None
