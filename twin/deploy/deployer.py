"""Create every resource of an assembly in the local AWS, in dependency order."""

from collections.abc import Callable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from twin.deploy import services as _services
from twin.deploy.assembly import Assembly, JsonObject, Stack
from twin.deploy.deployment import Deployment
from twin.deploy.errors import DeployError, ResourceFailed, UnresolvedReference, UpdateRefused
from twin.deploy.intrinsics import Resolver, collect_references
from twin.deploy.registry import Place, Resource, check, create
from twin.deploy.updates import DELETED, Change, Earlier, Made, OnCode, check_update, list_removed, select_retained

ClientFactory = Callable[[str], Any]

_services.register_all()

#: Parameters whose value only CloudFormation's own bootstrap check reads.
_IGNORED_PARAMETERS = {"BootstrapVersion": "the twin publishes no assets, so it needs no bootstrap stack"}
#: Parts of a resource; those that say what CloudFormation does on delete have no effect: the twin deletes nothing.
_RESOURCE_KEYS = frozenset(
    {"Type", "Properties", "DependsOn", "Condition", "Metadata", "DeletionPolicy", "UpdateReplacePolicy"}
)
_SECTIONS = frozenset(
    {"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions"}
    | {"Resources", "Outputs"}
)


class Deployer:
    """Deploys assemblies; `client` gives boto3 clients with administrator credentials."""

    def __init__(self, client: ClientFactory, place: Place) -> None:
        clients: dict[str, Any] = {}

        def get_client(service: str) -> Any:
            if service not in clients:
                clients[service] = client(service)
            return clients[service]

        self._client = get_client
        self._place = place
        self._stacks: dict[str, StackDeployment] = {}
        self._before: dict[str, StackDeployment] = {}

    def deploy(self, assembly: Assembly, *, parameters: Mapping[str, Mapping[str, str]] | None = None) -> Deployment:
        """Create every stack; `parameters` gives template parameters by stack name.

        Raises:
            DeployError: naming the resource that cannot be created and why.
        """
        deployment = Deployment()
        for stack in assembly.stacks:
            validate(stack)
        for stack in assembly.stacks:
            values = (parameters or {}).get(stack.name, {})
            made = StackDeployment(stack, self._place, self._client, deployment, values)
            made.run()
            self._stacks[stack.name] = made
        return deployment

    def update(self, assembly: Assembly, deployment: Deployment, *, on_code: OnCode = lambda: None) -> list[Change]:
        """Bring what is deployed to another assembly, in place, and return the changes.

        Args:
            assembly: the new assembly.
            deployment: what `deploy` returned.
            on_code: called after each change of a Lambda resource, before anything that calls it is changed.

        Raises:
            UpdateRefused: something else differs; nothing was changed.
            DeployError: a resource cannot be changed.
        """
        if {stack.name for stack in assembly.stacks} != set(self._stacks):
            raise UpdateRefused("the assembly has other stacks than the running twin: stop it and start it again")
        for stack in assembly.stacks:
            validate(stack)
            check_update(self._stacks[stack.name].template, stack.template, stack.name)
        self._before = dict(self._stacks)
        return [one for stack in assembly.stacks for one in self._apply(stack, deployment, on_code, None)]

    def rollback(self, deployment: Deployment, *, on_code: OnCode = lambda: None) -> list[Change]:
        """Undo the last `update`, and return the changes.

        As CloudFormation rolls back: earlier versions are used again, none is published.

        Raises:
            DeployError: there was no update, or a resource cannot be changed back.
        """
        if not self._before:
            raise UpdateRefused("there is no update to roll back")
        before, self._before = self._before, {}
        return [one for it in before.values() for one in self._apply(it.stack, deployment, on_code, it)]

    def _apply(
        self, stack: Stack, deployment: Deployment, on_code: OnCode, again: "StackDeployment | None"
    ) -> list[Change]:
        running = self._stacks[stack.name]
        made = StackDeployment(stack, self._place, self._client, deployment, running.parameters)
        made.left = running.left | select_retained(running.made, running.template, stack.template)
        earlier = Earlier(running.left | running.made, again.made if again else {}, on_code)
        made.run(earlier)
        self._stacks[stack.name] = made
        for key in running.made.keys() - made.made.keys():
            if running.template["Resources"][key]["Type"] in DELETED:
                self._client("scheduler").delete_schedule(Name=running.made[key].created.ref)
        return [*earlier.changes, *list_removed(running.made, running.template, stack.template)]


def validate(stack: Stack) -> None:
    """Check every section, resource type and property name of a template before anything is created.

    Raises:
        DeployError: the first part that the twin does not know.
    """
    for section in stack.template:
        if section not in _SECTIONS:
            raise DeployError(f"stack '{stack.name}': the local twin does not support the template section '{section}'")
    for logical_id, body in stack.template.get("Resources", {}).items():
        for key in body:
            if key not in _RESOURCE_KEYS:
                raise DeployError(f"'{logical_id}': the local twin does not support the resource attribute '{key}'")
        check(logical_id, body["Type"], body.get("Properties", {}))


class StackDeployment:
    """The deployment of one stack; also the scope its intrinsics resolve against."""

    def __init__(
        self,
        stack: Stack,
        place: Place,
        client: ClientFactory,
        deployment: Deployment,
        parameters: Mapping[str, str],
    ) -> None:
        self.stack, self.template = stack, stack.template
        self.parameters = parameters
        self.made: dict[str, Made] = {}
        self.left: dict[str, Made] = {}  # what a rollback leaves of an update: the next one takes it up again
        self._place, self._client = place, client
        self._deployment = deployment
        self._resolver = Resolver(self)
        stack_id = f"stack/{stack.name}/{stack.name}"
        self._pseudo = {
            "AWS::Region": place.region,
            "AWS::AccountId": place.account,
            "AWS::Partition": place.partition,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": stack.name,
            "AWS::StackId": f"arn:{place.partition}:cloudformation:{place.region}:{place.account}:{stack_id}",
            "AWS::NotificationARNs": [],
        }

    def run(self, earlier: Earlier | None = None) -> None:
        """Create the stack's resources, or change those of a running one, then resolve its outputs."""
        resources: JsonObject = self.template.get("Resources", {})
        for logical_id in self._sort_resources(resources):
            self._make(logical_id, resources[logical_id], earlier)
        outputs: dict[str, str] = {}
        for name, body in self.template.get("Outputs", {}).items():
            if "Condition" in body and not self.resolve_condition(body["Condition"]):
                continue
            outputs[name] = str(self._resolver.resolve(body["Value"]))
            if "Export" in body:
                self._deployment.exports[str(self._resolver.resolve(body["Export"]["Name"]))] = outputs[name]
        self._deployment.outputs[self.stack.name] = outputs

    def _sort_resources(self, resources: JsonObject) -> list[str]:
        wanted = {
            key: body
            for key, body in resources.items()
            if "Condition" not in body or self.resolve_condition(body["Condition"])
        }
        graph = {}
        for key, body in wanted.items():
            explicit = body.get("DependsOn", [])
            needed = collect_references(body.get("Properties", {})) | set(
                [explicit] if isinstance(explicit, str) else explicit
            )
            graph[key] = sorted(needed & set(wanted))
        try:
            return list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            raise DeployError(f"{self.stack.name}: resources depend on each other: {error.args[1]}") from error

    def _make(self, logical_id: str, body: JsonObject, earlier: Earlier | None) -> None:
        kind = body["Type"]
        target = Resource(logical_id, kind, self.stack, self._place, self._client, self._deployment)
        try:
            properties = self._resolver.resolve(body.get("Properties", {}))
            if earlier is None:
                made = Made(create(target, properties), properties)
            else:
                made = earlier.apply(target, properties)
        except (ClientError, BotoCoreError) as error:
            raise ResourceFailed(logical_id, kind, str(error)) from error
        except UnresolvedReference as error:
            raise UnresolvedReference(f"{logical_id} ({kind}): {error}") from error
        self.made[logical_id] = made
        self._deployment.resources[f"{self.stack.name}/{logical_id}"] = made.created.ref

    def resolve_ref(self, logical_id: str) -> Any:
        """Return a parameter's, pseudo parameter's or resource's reference value."""
        if logical_id in self.made:
            return self.made[logical_id].created.ref
        if logical_id in self._pseudo:
            return self._pseudo[logical_id]
        if logical_id in self.template.get("Parameters", {}):
            return self._resolve_parameter(logical_id)
        raise UnresolvedReference(f"Ref names '{logical_id}', which stack '{self.stack.name}' does not have")

    def _resolve_parameter(self, name: str) -> Any:
        definition = self.template["Parameters"][name]
        value = self.parameters.get(name, definition.get("Default"))
        if value is None:
            raise UnresolvedReference(f"parameter '{name}' has no value: give it a default in the template")
        kind = definition["Type"]
        if name in _IGNORED_PARAMETERS:
            return value
        if kind.startswith("AWS::SSM::Parameter::Value<"):
            value = self._client("ssm").get_parameter(Name=value)["Parameter"]["Value"]
        return value.split(",") if kind == "CommaDelimitedList" or "List<" in kind else value

    def resolve_attribute(self, logical_id: str, name: str) -> Any:
        """Return an attribute of a created resource."""
        made = self.made.get(logical_id)
        if made is None:
            raise UnresolvedReference(f"Fn::GetAtt names '{logical_id}', which stack '{self.stack.name}' does not have")
        created = made.created
        if name not in created.attributes:
            kind = self.template["Resources"][logical_id]["Type"]
            raise UnresolvedReference(f"'{logical_id}' ({kind}) has no attribute '{name}' in the local twin")
        return created.attributes[name]

    def resolve_import(self, export: str) -> Any:
        """Return the value exported by a stack that was deployed before."""
        if export not in self._deployment.exports:
            raise UnresolvedReference(f"Fn::ImportValue names '{export}', which no stack before this one exports")
        return self._deployment.exports[export]

    def resolve_mapping(self, name: str, top: str, second: str) -> Any:
        """Return a value of the template's Mappings."""
        try:
            return self.template["Mappings"][name][top][second]
        except KeyError as error:
            raise UnresolvedReference(f"Fn::FindInMap [{name}, {top}, {second}]: no such key") from error

    def resolve_condition(self, name: str) -> bool:
        """Return the value of a named condition."""
        conditions = self.template.get("Conditions", {})
        if name not in conditions:
            raise UnresolvedReference(f"the condition '{name}' does not exist in stack '{self.stack.name}'")
        return self._resolver.is_true(conditions[name])
