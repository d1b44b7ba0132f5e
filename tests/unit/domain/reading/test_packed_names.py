"""Tests of `pentad.domain.reading.packed_names`."""

import pytest

from pentad.domain.reading.packed_names import pack_names, unpack_names


@pytest.mark.parametrize("count", [0, 1, 20, 300, 1_000])
def test_names_come_back(count: int) -> None:
    names = [f"KIND_{number}" for number in range(count)]
    packed = pack_names(names)
    assert unpack_names(packed) == names
    assert len(packed) <= max(500, 6 * count)


def test_few_names_can_be_read_by_a_human() -> None:
    assert pack_names(["NOTE", "ORDER"]) == "NOTE ORDER"


@pytest.mark.parametrize("packed", ["zlib:?", "zlib:", "zlib:AAAA", pack_names(["KIND"] * 300)[:-8]])
def test_what_is_no_packed_text_is_refused(packed: str) -> None:
    with pytest.raises(ValueError, match=r"packed names|base64|padding"):
        unpack_names(packed)
