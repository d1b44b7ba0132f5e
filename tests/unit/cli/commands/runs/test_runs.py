"""What options of `pentad run` say."""

import pytest

from pentad.cli.commands.runs.runs import metadata_of
from pentad.cli.console import CommandError


def test_metadata_is_taken_by_name_and_value() -> None:
    assert metadata_of(["order=4711", "note=a=b"]) == {"order": "4711", "note": "a=b"}
    assert metadata_of([]) is None


@pytest.mark.parametrize("entry", ["order", "=4711", ""])
def test_metadata_of_another_form_is_refused(entry: str) -> None:
    with pytest.raises(CommandError, match="name=value"):
        metadata_of([entry])
