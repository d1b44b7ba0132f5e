"""Bring a running stack to another template: what may change, and how each resource is brought along.

An update is checked as a whole before anything is touched, so that what is refused leaves the twin as it was.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from twin.deploy.errors import UpdateRefused
from twin.deploy.intrinsics import collect_references
from twin.deploy.registry import Created, JsonObject, Resource, create, is_updatable, select_handled, update

OnCode = Callable[[], None]

#: A change makes a new physical resource: who refers to one of these is changed with it.
_REPLACED = frozenset({"AWS::Lambda::LayerVersion", "AWS::Lambda::Version", "AWS::StepFunctions::StateMachineVersion"})
#: What the rest of the twin need not be told of, or is told of by `OnCode`.
_ADDED = _REPLACED | {
    "AWS::CDK::Metadata",
    "AWS::CloudWatch::Alarm",
    "AWS::Events::EventBusPolicy",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::Alias",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::Logs::QueryDefinition",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
    "AWS::StepFunctions::StateMachine",
    "AWS::StepFunctions::StateMachineAlias",
}
#: What may be taken away. It stays in the twin, since runs in flight may need it: versions are retained on AWS as well,
#: and of what CloudFormation would delete, nobody who starts now is told.
_REMOVED = _REPLACED | {
    "AWS::CDK::Metadata",
    "AWS::CloudWatch::Alarm",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::Logs::QueryDefinition",
    "AWS::Scheduler::Schedule",
    "AWS::StepFunctions::StateMachine",
}
#: These go with what they lead to, and only then.
_ALIASES = frozenset({"AWS::Lambda::Alias", "AWS::StepFunctions::StateMachineAlias"})
_LED_TO = frozenset({"AWS::Lambda::Function", "AWS::StepFunctions::StateMachine"})
#: Nobody asks after it.
_UNTOLD = frozenset({"AWS::CDK::Metadata"})
#: What would go on by itself is deleted.
DELETED = frozenset({"AWS::Scheduler::Schedule"})


@dataclass(frozen=True)
class Made:
    """A resource as it was made: its references, and the properties that it was made from."""

    created: Created
    properties: JsonObject


class Change(NamedTuple):
    """What an update did to a resource: its type, and its name or the end of its ARN."""

    how: Literal["new", "changed", "removed"]
    kind: str
    name: str

    @classmethod
    def of(cls, how: Literal["new", "changed", "removed"], kind: str, made: Made) -> "Change":
        """Return the change of a resource that was made."""
        parts = made.created.ref.split(":")
        name = (":".join(parts[6:]) or parts[-1]) if parts[0] == "arn" else made.created.ref
        return cls(how, kind, name.rpartition("/")[2])


@dataclass(frozen=True)
class Earlier:
    """The running stack that an update starts from.

    Attributes:
        running: its resources.
        again: versions to use again instead of making new ones: those of before the update that is rolled back.
        on_code: told of each change of a Lambda resource.
        changes: takes what is made or changed.
    """

    running: Mapping[str, Made]
    again: Mapping[str, Made] = field(default_factory=dict)
    on_code: OnCode = lambda: None
    changes: list[Change] = field(default_factory=list)

    def apply(self, target: Resource, properties: JsonObject) -> Made:
        """Return the resource with these properties: as it was, changed or new.

        Raises:
            UpdateRefused: it differs, and resources of its type cannot be changed.
            ResourceFailed: the local AWS refused it.
        """
        kind = target.resource_type
        if kind in _REPLACED and target.logical_id in self.again:
            return self.again[target.logical_id]
        running = self.running.get(target.logical_id)
        if running is not None and select_handled(kind, properties) == select_handled(kind, running.properties):
            return running
        if running is None:
            made = Made(create(target, properties), properties)
        elif is_updatable(kind):
            made = Made(update(target, properties, running.created), properties)
        else:
            raise UpdateRefused(_format_refusal(target.stack.name, target.logical_id, kind, "differs"))
        if kind.startswith("AWS::Lambda::"):
            self.on_code()
        if kind not in _UNTOLD:
            self.changes.append(Change.of("new" if running is None else "changed", kind, made))
        return made


def check_update(running: JsonObject, wanted: JsonObject, stack: str) -> None:
    """Refuse an update that touches what a running twin cannot change.

    Args:
        running: the template of the running stack.
        wanted: the new template.
        stack: the stack's name.

    Raises:
        UpdateRefused: naming the first such resource.
    """
    before, after = running.get("Resources", {}), wanted.get("Resources", {})
    gone = before.keys() - after.keys()
    for logical_id in sorted(gone):
        if before[logical_id]["Type"] not in _REMOVED and not _goes_with_its_target(logical_id, before, gone):
            raise UpdateRefused(_format_refusal(stack, logical_id, before[logical_id]["Type"], "is gone"))
    for logical_id in sorted(after.keys() - before.keys()):
        if after[logical_id]["Type"] not in _ADDED:
            raise UpdateRefused(_format_refusal(stack, logical_id, after[logical_id]["Type"], "is new"))
    changed = {key for key in before.keys() & after.keys() if _has_changed(before[key], after[key])}
    for logical_id in sorted(changed | _find_dependents(changed, before, after)):
        kind = after[logical_id]["Type"]
        if kind != before[logical_id]["Type"] or not is_updatable(kind):
            raise UpdateRefused(_format_refusal(stack, logical_id, kind, "differs"))


def select_retained(made: Mapping[str, Made], running: JsonObject, wanted: JsonObject) -> dict[str, Made]:
    """Return the resources that a template no longer has but that stay, since the twin deletes nothing.

    Args:
        made: the running stack's resources.
        running: its template.
        wanted: the template that follows.
    """
    kinds = {key: body["Type"] for key, body in running.get("Resources", {}).items()}
    gone = made.keys() - wanted.get("Resources", {}).keys()
    return {key: made[key] for key in gone if kinds[key] not in _REPLACED | DELETED}


def list_removed(made: Mapping[str, Made], running: JsonObject, wanted: JsonObject) -> list[Change]:
    """Return the resources that a template no longer has; versions are not among them, which stay to be used again.

    Args:
        made: the running stack's resources.
        running: its template.
        wanted: the template that follows.
    """
    kinds = {key: running["Resources"][key]["Type"] for key in made.keys() - wanted.get("Resources", {}).keys()}
    return [
        Change.of("removed", kind, made[key]) for key, kind in sorted(kinds.items()) if kind not in _REPLACED | _UNTOLD
    ]


def _goes_with_its_target(logical_id: str, before: JsonObject, gone: Set[str]) -> bool:
    """Tell whether an alias leads to a function or machine that is taken away, by its versions or directly."""
    if before[logical_id]["Type"] not in _ALIASES:
        return False
    reached, waiting = {logical_id}, [logical_id]
    while waiting:
        found = collect_references(before[waiting.pop()].get("Properties", {})) & before.keys()
        waiting += found - reached
        reached |= found
    return any(before[key]["Type"] in _LED_TO for key in reached & gone)


def _find_dependents(changed: set[str], before: JsonObject, after: JsonObject) -> set[str]:
    """Return the resources that stay as they are written, but refer to one that gets another name or number."""
    moved = {key for key in changed if after[key]["Type"] in _REPLACED}
    kept = before.keys() & after.keys()
    return {key for key in kept - changed if collect_references(after[key].get("Properties", {})) & moved}


def _has_changed(before: JsonObject, after: JsonObject) -> bool:
    if before["Type"] != after["Type"]:
        return True
    kind = before["Type"]
    return select_handled(kind, before.get("Properties", {})) != select_handled(kind, after.get("Properties", {}))


def _format_refusal(stack: str, logical_id: str, kind: str, how: str) -> str:
    return (
        f"stack '{stack}': '{logical_id}' ({kind}) {how}, which a running twin can't take: stop it and start it again"
    )
