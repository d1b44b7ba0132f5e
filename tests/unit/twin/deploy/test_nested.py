"""Nested stacks become part of the stack that holds them, whatever of it their templates refer to."""

import json
from pathlib import Path
from typing import Any

import pytest

from twin.deploy.assembly import AssemblyError, read_assembly
from twin.deploy.intrinsics import collect_references
from twin.deploy.nested import NestedStackError, inline_nested

Json = dict[str, Any]
URL = {
    "Fn::Join": [
        "",
        ["https://s3.", {"Ref": "AWS::Region"}, ".", {"Ref": "AWS::URLSuffix"}, "/cdk-assets/", "inner.json"],
    ]
}


def nest(parameters: Json | None = None, url: Any = None, **more: Any) -> Json:
    properties: Json = {"TemplateURL": url or URL, "Tags": []} | ({"Parameters": parameters} if parameters else {})
    return {"Type": "AWS::CloudFormation::Stack", "Properties": properties, **more}


def inline(parent: Json, **inner: Json) -> Json:
    return inline_nested(parent, lambda key: inner[key.removesuffix(".json")])


INNER: Json = {
    "Parameters": {"bus": {"Type": "String"}, "size": {"Type": "Number", "Default": 3}},
    "Conditions": {"big": {"Fn::Equals": [{"Ref": "size"}, 3]}, "both": {"Fn::And": [{"Condition": "big"}]}},
    "Mappings": {"sizes": {"a": {"b": "c"}}},
    "Rules": {"CheckBootstrapVersion": {}},
    "Resources": {
        "queue": {"Type": "Q", "Properties": {"Name": {"Fn::Sub": "${AWS::Region}-${bus}-${!kept}-${size}"}}},
        "function": {
            "Type": "F",
            "DependsOn": "queue",
            "Condition": "both",
            "Properties": {
                "Queue": {"Ref": "queue"},
                "Arn": {"Fn::GetAtt": "queue.Arn"},
                "Bus": {"Fn::Join": ["/", [{"Ref": "bus"}, {"Fn::GetAtt": ["queue", "Arn"]}]]},
                "Here": {"Ref": "AWS::Region"},
                "Size": {"Fn::If": ["big", {"Ref": "size"}, {"Fn::FindInMap": ["sizes", "a", "b"]}]},
                "Text": {"Fn::Sub": ["${own}${queue.Arn}", {"own": {"Ref": "queue"}}]},
            },
        },
    },
    "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["function", "Arn"]}}},
}
PARENT: Json = {
    "Resources": {
        "busA1": {"Type": "B"},
        "toolsB2": nest({"bus": {"Fn::GetAtt": ["busA1", "Name"]}}, DependsOn=["busA1"]),
        "machine": {
            "Type": "M",
            "DependsOn": ["toolsB2"],
            "Properties": {"Arn": {"Fn::GetAtt": ["toolsB2", "Outputs.Arn"]}},
        },
    },
    "Outputs": {"Tool": {"Value": {"Fn::GetAtt": ["toolsB2", "Outputs.Arn"]}}},
}


def test_resources_of_a_nested_stack_are_the_parents_under_both_ids() -> None:
    whole = inline(PARENT, inner=INNER)
    assert list(whole["Resources"]) == ["busA1", "machine", "toolsB2queue", "toolsB2function"]
    assert whole["Resources"]["machine"] == {
        "Type": "M",
        "DependsOn": ["toolsB2queue", "toolsB2function"],
        "Properties": {"Arn": {"Fn::GetAtt": ["toolsB2function", "Arn"]}},
    }
    assert whole["Outputs"] == {"Tool": {"Value": {"Fn::GetAtt": ["toolsB2function", "Arn"]}}}
    function = whole["Resources"]["toolsB2function"]
    assert (function["Type"], function["DependsOn"], function["Condition"]) == (
        "F",
        ["toolsB2queue", "busA1"],
        "toolsB2both",
    )
    assert function["Properties"] == {
        "Queue": {"Ref": "toolsB2queue"},
        "Arn": {"Fn::GetAtt": ["toolsB2queue", "Arn"]},
        "Bus": {"Fn::Join": ["/", [{"Fn::GetAtt": ["busA1", "Name"]}, {"Fn::GetAtt": ["toolsB2queue", "Arn"]}]]},
        "Here": {"Ref": "AWS::Region"},
        "Size": {"Fn::If": ["toolsB2big", 3, {"Fn::FindInMap": ["toolsB2sizes", "a", "b"]}]},
        "Text": {
            "Fn::Sub": [
                "${own}${Nested1}",
                {"own": {"Ref": "toolsB2queue"}, "Nested1": {"Fn::GetAtt": ["toolsB2queue", "Arn"]}},
            ]
        },
    }
    assert whole["Resources"]["toolsB2queue"]["Properties"]["Name"] == {
        "Fn::Sub": [
            "${AWS::Region}-${Nested0}-${!kept}-${Nested1}",
            {"Nested0": {"Fn::GetAtt": ["busA1", "Name"]}, "Nested1": 3},
        ]
    }
    assert whole["Conditions"] == {
        "toolsB2big": {"Fn::Equals": [3, 3]},
        "toolsB2both": {"Fn::And": [{"Condition": "toolsB2big"}]},
    }
    assert whole["Mappings"] == {"toolsB2sizes": {"a": {"b": "c"}}}
    assert "Rules" not in whole
    # What the deployer orders resources by sees through it all.
    assert collect_references(function["Properties"]) == {"toolsB2queue", "busA1", "AWS::Region"}


def test_a_template_without_nested_stacks_stays_as_it_is() -> None:
    assert inline(INNER) is INNER


def test_two_stacks_of_one_template_are_apart_and_one_takes_the_others_output() -> None:
    parent = {
        "Resources": {
            "first": nest({"bus": "b"}),
            "second": nest({"bus": {"Fn::GetAtt": ["first", "Outputs.Arn"]}}),
        }
    }
    whole = inline(parent, inner=INNER)
    assert len(whole["Resources"]) == 4
    joined = whole["Resources"]["secondfunction"]["Properties"]["Bus"]
    assert joined["Fn::Join"][1][0] == {"Fn::GetAtt": ["firstfunction", "Arn"]}


def test_stacks_nested_in_nested_ones_are_put_in_too() -> None:
    middle = {
        "Resources": {"deep": nest({"bus": "b"}, url="https://bucket/deep.json")},
        "Outputs": {"Up": {"Value": {"Fn::GetAtt": ["deep", "Outputs.Arn"]}}},
    }
    parent = {"Resources": {"mid": nest(), "top": {"Type": "T", "Properties": {"X": {"Fn::GetAtt": "mid.Outputs.Up"}}}}}
    whole = inline(parent, inner=middle, deep=INNER)
    assert list(whole["Resources"]) == ["top", "middeepqueue", "middeepfunction"]
    assert whole["Resources"]["top"]["Properties"]["X"] == {"Fn::GetAtt": ["middeepfunction", "Arn"]}


@pytest.mark.parametrize(
    ("parent", "said"),
    [
        ({"Resources": {"a": nest()}}, "'a' .*the parameter 'bus' has no value"),
        ({"Resources": {"a": nest({"bus": "b"}, url={"Ref": "url"})}}, "'a' .*TemplateURL names no asset"),
        (
            {"Resources": {"a": nest({"bus": "b"}), "x": {"Type": "X", "P": {"Fn::GetAtt": ["a", "Outputs.Y"]}}}},
            "'a' .*has no output 'Y'",
        ),
        (
            {"Resources": {"a": nest({"bus": {"Fn::GetAtt": ["a", "Outputs.Arn"]}})}},
            "in a circle",
        ),
        (
            {"Resources": {"a": {"Type": "AWS::CloudFormation::Stack", "Properties": {"Capabilities": []}}}},
            "'a' .*does not support the property 'Capabilities'",
        ),
    ],
)
def test_what_can_not_be_put_in_is_told_by_its_name(parent: Json, said: str) -> None:
    inner = INNER | {"Outputs": {"Arn": {"Value": {"Ref": "bus"}}}}
    with pytest.raises(NestedStackError, match=said):
        inline(parent, inner=inner)


def test_a_stack_in_itself_is_told() -> None:
    with pytest.raises(NestedStackError, match="more than 5 stacks"):
        inline({"Resources": {"a": nest()}}, inner={"Resources": {"a": nest()}})


def test_an_assembly_is_read_with_its_nested_stacks_in_place(tmp_path: Path) -> None:
    artifacts = {
        "s.assets": {"type": "cdk:asset-manifest", "properties": {"file": "s.assets.json"}},
        "s": {
            "type": "aws:cloudformation:stack",
            "properties": {"templateFile": "s.template.json"},
            "dependencies": ["s.assets"],
        },
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    (tmp_path / "s.template.json").write_text(json.dumps(PARENT))
    (tmp_path / "inner.nested.template.json").write_text(json.dumps(INNER))
    files = {
        "a": {"source": {"path": "inner.nested.template.json"}, "destinations": {"d": {"objectKey": "inner.json"}}}
    }
    (tmp_path / "s.assets.json").write_text(json.dumps({"files": files}))
    [stack] = read_assembly(tmp_path).stacks
    assert "toolsB2function" in stack.template["Resources"]
    (tmp_path / "s.assets.json").write_text(json.dumps({"files": {}}))
    with pytest.raises(AssemblyError, match=r"s\.template\.json.*'inner\.json' of a nested stack is not an asset"):
        read_assembly(tmp_path)
