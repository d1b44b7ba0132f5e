"""Create every resource of an assembly in the local AWS, in dependency order."""

from collections.abc import Callable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pentad.local.assembly import Assembly, JsonObject, Stack
from pentad.local.deploy import services as _services
from pentad.local.deploy.deployment import Deployment
from pentad.local.deploy.errors import DeployError, ResourceFailed, UnresolvedReference
from pentad.local.deploy.intrinsics import Resolver, references
from pentad.local.deploy.registry import Created, Place, Resource, check, create

ClientFactory = Callable[[str], Any]

_services.register_all()

#: Parameters whose value only CloudFormation's own bootstrap check reads.
_IGNORED_PARAMETERS = {"BootstrapVersion": "the twin publishes no assets, so it needs no bootstrap stack"}
#: Parts of a resource that say what CloudFormation does on update or delete; the twin only creates.
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

        def cached(service: str) -> Any:
            if service not in clients:
                clients[service] = client(service)
            return clients[service]

        self._client = cached
        self._place = place

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
            _StackDeployment(stack, self._place, self._client, deployment, values).run()
        return deployment


def validate(stack: Stack) -> None:
    """Check every section, resource type and property name of a template before anything is created.

    Raises:
        DeployError: the first part that the twin does not know.
    """
    for section in stack.template:
        if section not in _SECTIONS:
            raise DeployError(f"{stack.name}: the local twin does not know the template section {section}")
    for logical_id, body in stack.template.get("Resources", {}).items():
        for key in body:
            if key not in _RESOURCE_KEYS:
                raise DeployError(f"{logical_id}: the local twin does not know the resource attribute {key}")
        check(logical_id, body["Type"], body.get("Properties", {}))


class _StackDeployment:
    """The deployment of one stack; also the scope its intrinsics resolve against."""

    def __init__(
        self,
        stack: Stack,
        place: Place,
        client: ClientFactory,
        deployment: Deployment,
        parameters: Mapping[str, str],
    ) -> None:
        self._stack, self._place, self._client = stack, place, client
        self._template = stack.template
        self._deployment = deployment
        self._parameters = parameters
        self._created: dict[str, Created] = {}
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

    def run(self) -> None:
        """Create the stack's resources, then resolve its outputs."""
        resources: JsonObject = self._template.get("Resources", {})
        for logical_id in self._order(resources):
            self._create(logical_id, resources[logical_id])
        outputs: dict[str, str] = {}
        for name, body in self._template.get("Outputs", {}).items():
            if "Condition" in body and not self.condition(body["Condition"]):
                continue
            outputs[name] = str(self._resolver.resolve(body["Value"]))
            if "Export" in body:
                self._deployment.exports[str(self._resolver.resolve(body["Export"]["Name"]))] = outputs[name]
        self._deployment.outputs[self._stack.name] = outputs

    def _order(self, resources: JsonObject) -> list[str]:
        wanted = {
            key: body for key, body in resources.items() if "Condition" not in body or self.condition(body["Condition"])
        }
        graph = {}
        for key, body in wanted.items():
            explicit = body.get("DependsOn", [])
            needed = references(body.get("Properties", {})) | set([explicit] if isinstance(explicit, str) else explicit)
            graph[key] = sorted(needed & set(wanted))
        try:
            return list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            raise DeployError(f"{self._stack.name}: resources depend on each other: {error.args[1]}") from error

    def _create(self, logical_id: str, body: JsonObject) -> None:
        kind = body["Type"]
        try:
            properties = self._resolver.resolve(body.get("Properties", {}))
            target = Resource(logical_id, kind, self._stack, self._place, self._client, self._deployment)
            created = create(target, properties)
        except (ClientError, BotoCoreError) as error:
            raise ResourceFailed(logical_id, kind, str(error)) from error
        except UnresolvedReference as error:
            raise UnresolvedReference(f"{logical_id} ({kind}): {error}") from error
        self._created[logical_id] = created
        self._deployment.resources[f"{self._stack.name}/{logical_id}"] = created.ref

    def ref(self, logical_id: str) -> Any:
        """Return a parameter's, pseudo parameter's or resource's reference value."""
        if logical_id in self._created:
            return self._created[logical_id].ref
        if logical_id in self._pseudo:
            return self._pseudo[logical_id]
        if logical_id in self._template.get("Parameters", {}):
            return self._parameter(logical_id)
        raise UnresolvedReference(f"Ref to {logical_id}, which does not exist in {self._stack.name}")

    def _parameter(self, name: str) -> Any:
        definition = self._template["Parameters"][name]
        value = self._parameters.get(name, definition.get("Default"))
        if value is None:
            raise UnresolvedReference(f"parameter {name} has no value and no default")
        kind = definition["Type"]
        if name in _IGNORED_PARAMETERS:
            return value
        if kind.startswith("AWS::SSM::Parameter::Value<"):
            value = self._client("ssm").get_parameter(Name=value)["Parameter"]["Value"]
        return value.split(",") if kind == "CommaDelimitedList" or "List<" in kind else value

    def attribute(self, logical_id: str, name: str) -> Any:
        """Return an attribute of a created resource."""
        created = self._created.get(logical_id)
        if created is None:
            raise UnresolvedReference(f"Fn::GetAtt of {logical_id}, which does not exist in {self._stack.name}")
        if name not in created.attributes:
            kind = self._template["Resources"][logical_id]["Type"]
            raise UnresolvedReference(f"{logical_id} ({kind}) has no attribute {name} locally")
        return created.attributes[name]

    def imported(self, export: str) -> Any:
        """Return the value exported by a stack that was deployed before."""
        if export not in self._deployment.exports:
            raise UnresolvedReference(f"Fn::ImportValue of {export}, which no earlier stack exports")
        return self._deployment.exports[export]

    def mapping(self, name: str, top: str, second: str) -> Any:
        """Return a value of the template's Mappings."""
        try:
            return self._template["Mappings"][name][top][second]
        except KeyError as error:
            raise UnresolvedReference(f"Fn::FindInMap [{name}, {top}, {second}]: no such key") from error

    def condition(self, name: str) -> bool:
        """Return the value of a named condition."""
        conditions = self._template.get("Conditions", {})
        if name not in conditions:
            raise UnresolvedReference(f"condition {name} does not exist in {self._stack.name}")
        return self._resolver.truth(conditions[name])
