"""What an attacker who has a role reaches, in lines that a human reviews: ``python -m tests.infra.reach cdk.out``.

A line is an action, a resource and the conditions under which it is allowed. Names are the templates' own, without the
hashes; actions of one resource and condition stand in one line.
"""

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Json = dict[str, Any]
_HASH = re.compile(r"(?<=[a-zA-Z])[0-9A-F]{8}$")


def describe(templates: Mapping[str, Json]) -> str:
    """Return every role of the templates with all that its policies allow, sorted."""
    names = _Names(templates)
    lines: dict[str, dict[tuple[str, str], set[str]]] = defaultdict(lambda: defaultdict(set))
    for template in templates.values():
        for logical_id, body in template["Resources"].items():
            if body["Type"] == "AWS::IAM::Role":
                lines[names.shorten(logical_id)].update({})
                trust = body["Properties"]["AssumeRolePolicyDocument"]["Statement"]
                for statement in trust:
                    given = f"by {names.spell(statement['Principal'])}"
                    lines[names.shorten(logical_id)][given, names.spell_condition(statement)] |= _actions(statement)
            for role, statement in _statements(body):
                denied = "not " if statement["Effect"] == "Deny" else ""
                for resource in _listed(statement["Resource"]):
                    place = (names.spell(resource), names.spell_condition(statement))
                    lines[names.shorten(role)][place] |= {denied + action for action in _actions(statement)}
    return "".join(_format(role, found) for role, found in sorted(lines.items()))


class _Names:
    """Tokens of templates as words.

    Args:
        templates: all of them: one imports what another exports.
    """

    def __init__(self, templates: Mapping[str, Json]) -> None:
        self._exports = {
            output["Export"]["Name"]: output["Value"]
            for template in templates.values()
            for output in template.get("Outputs", {}).values()
            if "Export" in output
        }

    def shorten(self, logical_id: str) -> str:
        """Return a logical id without its hash."""
        return _HASH.sub("", logical_id)

    def spell(self, value: Any) -> str:
        """Return a value with a name in the place of each token."""
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            return ", ".join(self.spell(one) for one in value)
        if "Fn::Join" in value:
            return "".join(self.spell(part) for part in value["Fn::Join"][1])
        if "Fn::GetAtt" in value:
            return f"<{self.shorten(value['Fn::GetAtt'][0])}>"
        if "Ref" in value:
            return f"<{self.shorten(value['Ref'])}>"
        if "Fn::ImportValue" in value:
            return self.spell(self._exports[value["Fn::ImportValue"]])
        return ", ".join(f"{key} {self.spell(one)}" for key, one in sorted(value.items()))

    def spell_condition(self, statement: Json) -> str:
        """Return a statement's conditions; empty where it has none."""
        return " and ".join(
            f"{operator} {key} = {self.spell(values)}"
            for operator, keys in sorted(statement.get("Condition", {}).items())
            for key, values in sorted(keys.items())
        )


def _statements(body: Json) -> Iterator[tuple[str, Json]]:
    if body["Type"] not in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        return
    for role in body["Properties"]["Roles"]:
        for statement in body["Properties"]["PolicyDocument"]["Statement"]:
            yield role["Ref"], statement


def _actions(statement: Json) -> set[str]:
    return set(_listed(statement["Action"]))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _format(role: str, found: Mapping[tuple[str, str], set[str]]) -> str:
    lines = [f"{role}\n"]
    for (resource, condition), actions in sorted(found.items()):
        lines.append(f"    {', '.join(sorted(actions))}\n        {resource}\n")
        if condition:
            lines.append(f"        if {condition}\n")
    return "".join([*lines, "\n"])


def read_templates(assembly: Path) -> dict[str, Json]:
    """Return every template of an assembly by its stack's name."""
    return {
        path.name.removesuffix(".template.json"): json.loads(path.read_text(encoding="utf-8"))
        for path in assembly.glob("*.template.json")
    }


if __name__ == "__main__":
    sys.stdout.write(describe(read_templates(Path(sys.argv[1]))))
