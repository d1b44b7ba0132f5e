"""Numbers of a function's versions: none is given out again."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from tests.moto_clients import client
from twin.moto_patches.functions import versions
from twin.moto_patches.patching import Patches


@pytest.fixture
def functions() -> Iterator[Any]:
    patches = Patches()
    versions.apply(patches)
    versions.apply(patches)  # a twin in the same process may have applied it before
    with mock_aws():
        yield client("lambda")
    patches.undo()


def _zip(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("one.py", text)
    return buffer.getvalue()


def _create(functions: Any) -> None:
    role = client("iam").create_role(RoleName="one", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    functions.create_function(
        FunctionName="one", Runtime="python3.13", Role=role, Handler="one.handler", Code={"ZipFile": _zip("a = 0")}
    )


def _publish(functions: Any, text: str) -> str:
    functions.update_function_code(FunctionName="one", ZipFile=_zip(text))
    return str(functions.publish_version(FunctionName="one")["Version"])


def test_the_number_of_a_version_that_was_deleted_is_not_given_out_again(functions: Any) -> None:
    _create(functions)
    numbers = [_publish(functions, f"a = {number}") for number in range(3)]
    functions.delete_function(FunctionName="one", Qualifier=numbers[0])
    functions.delete_function(FunctionName="one", Qualifier=numbers[2])
    later = [_publish(functions, f"b = {number}") for number in range(2)]
    assert later == [str(int(numbers[2]) + 1), str(int(numbers[2]) + 2)]
    there = [one["Version"] for one in functions.list_versions_by_function(FunctionName="one")["Versions"]]
    assert there == ["$LATEST", numbers[1], *later]
    for number in there[1:]:
        found = functions.get_function_configuration(FunctionName=f"one:{number}")
        assert (found["Version"], found["FunctionArn"].rsplit(":", 1)[1]) == (number, number)


def test_what_has_not_changed_is_not_published_again(functions: Any) -> None:
    _create(functions)
    _publish(functions, "a = 1")  # after the first, moto forgets to note that it was published
    number = _publish(functions, "a = 2")
    assert functions.publish_version(FunctionName="one")["Version"] == number
