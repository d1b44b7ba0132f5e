"""What options of `pentad run` say."""

import pytest

from pentad.cli.commands.runs.runs import parse_metadata
from pentad.cli.console import CommandError


def test_metadata_is_taken_by_name_and_value() -> None:
    assert parse_metadata(["order=4711", "note=a=b"]) == {"order": "4711", "note": "a=b"}
    assert parse_metadata([]) is None


@pytest.mark.parametrize("entry", ["order", "=4711", ""])
def test_metadata_of_another_form_is_refused(entry: str) -> None:
    with pytest.raises(CommandError, match="name=value"):
        parse_metadata([entry])
