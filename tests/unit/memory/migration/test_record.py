"""A record of what was copied grows while a migration runs, and what was cut off in it is nobody's name."""

from pathlib import Path

import pytest

from pentad.domain.errors import InvalidInput
from pentad.memory.migration.record import MigrationRecord


def test_what_is_added_is_read_and_the_last_of_a_name_holds(tmp_path: Path) -> None:
    record = MigrationRecord(tmp_path / "deep" / "record.txt")
    with pytest.raises(InvalidInput, match="no record"):
        record.read()
    record.add({})
    with pytest.raises(InvalidInput, match="no record"):
        record.read()
    record.add({"v1": "a" * 16, "v2": "b" * 16})
    record.add({"v2": "c" * 16})
    assert record.read() == {"v1": "a" * 16, "v2": "c" * 16}
    record.write({"v3": "d" * 16})
    assert record.read() == {"v3": "d" * 16}
    record.write({})
    assert record.read() == {}


@pytest.mark.parametrize("cut", range(1, 20))
def test_a_line_that_was_cut_off_is_left_out_also_once_others_follow(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "record.txt"
    record = MigrationRecord(path)
    record.add({"v1": "a" * 16, "v22": "b" * 16})
    path.write_bytes(path.read_bytes()[:-cut])
    assert record.read() == {"v1": "a" * 16}
    record.add({"v3": "c" * 16})
    assert record.read() == {"v1": "a" * 16, "v3": "c" * 16}


def test_a_file_of_one_cut_line_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "record.txt"
    path.write_text("aaaa v")
    record = MigrationRecord(path)
    assert record.read() == {}
    record.add({"v3": "c" * 16})
    assert record.read() == {"v3": "c" * 16}
