"""What the deployer does not know is an error that names it, before anything is created."""

from pathlib import Path
from typing import Any

import pytest

from twin.deploy.assembly import Assembly, Stack
from twin.deploy.deployer import Deployer, validate
from twin.deploy.deployment import Deployment
from twin.deploy.errors import DeployError, UnknownProperty, UnknownResourceType
from twin.deploy.registry import Place, Resource, list_types


def stack(resources: dict[str, Any], **sections: Any) -> Stack:
    return Stack("Test", "Test", {"Resources": resources, **sections})


def test_unknown_type_names_the_resource() -> None:
    with pytest.raises(UnknownResourceType, match=r"'Vm': .* 'AWS::EC2::Instance'"):
        validate(stack({"Vm": {"Type": "AWS::EC2::Instance"}}))


def test_unknown_property_names_resource_type_and_property() -> None:
    with pytest.raises(UnknownProperty, match=r"'Queue' \(AWS::SQS::Queue\): .* 'Colour'"):
        validate(stack({"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"Colour": "red"}}}))


def test_unknown_section_and_attribute_are_errors() -> None:
    with pytest.raises(DeployError, match="Transform"):
        validate(stack({}, Transform="AWS::Serverless"))
    with pytest.raises(DeployError, match="CreationPolicy"):
        validate(stack({"Q": {"Type": "AWS::SQS::Queue", "CreationPolicy": {}}}))


def test_nothing_is_created_when_a_later_stack_is_unknown() -> None:
    def client(service: str) -> Any:
        raise AssertionError(f"{service} was called")

    good = stack({"Q": {"Type": "AWS::SQS::Queue"}})
    bad = stack({"Vm": {"Type": "AWS::EC2::Instance"}})
    with pytest.raises(UnknownResourceType):
        Deployer(client, Place("us-east-1", "123456789012")).deploy(Assembly(Path(), (good, bad)))


def test_every_ignored_property_has_a_reason() -> None:
    from twin.deploy.registry import check

    for resource_type in list_types():
        kind = check("X", resource_type, [])
        assert not kind.handled & set(kind.ignored), resource_type
        assert all(len(reason) > 5 for reason in kind.ignored.values()), resource_type


def resource(stack_name: str, logical_id: str) -> Resource:
    place = Place("us-east-1", "123456789012")
    return Resource(logical_id, "T", Stack("s", stack_name, {}), place, lambda _: None, Deployment())


def test_generated_name_is_deterministic_and_within_its_limit() -> None:
    long = resource("a-very-long-stack-name-for-a-product", "AnEvenLongerLogicalIdThatCdkMadeUp12345678")
    assert long.physical_name(limit=64) == long.physical_name(limit=64)
    assert len(long.physical_name(limit=64)) <= 64
    assert resource("S", "A").physical_name(limit=64).startswith("S-A-")
    assert resource("S", "A").physical_name(limit=64) != resource("S", "B").physical_name(limit=64)
    assert resource("S", "A").physical_name(limit=63, lower=True).islower()
