"""The role of tools' data: what a tool may reach of a tenant's records, checkpoints and secrets, by its session's tags.

A tool's own role reaches no data. The runner assumes this role for a call, tags the session with the tool, the tenant
and, for a graph, the run, and hands the credentials over with the call. A statement counts only for the tools that it
names and only for the tenant of the session, so a tool that was taken over has one tenant's records, of its own kinds.
"""

from collections.abc import Mapping

from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.components import grants
from infra.components.build import Build
from infra.tools import graph
from infra.tools.secrets import find_secret_key
from infra.tools.tools_file import DeclaredSecret, ToolsFile
from pentad.domain import keys
from pentad.domain.declarations import agents as declarations
from pentad.tools.declare.discovery import AnyTool
from pentad.tools.records.granted_records import RecordRules

_READ = ("dynamodb:GetItem", "dynamodb:Query")
_CHANGE = ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem")
_MARK = ("dynamodb:GetItem", "dynamodb:PutItem")
_READ_FILES = ("s3:GetObject", "s3:GetObjectVersion")
_CHANGE_FILES = ("s3:PutObject", "s3:DeleteObject")
ROOT = "files"
"""As `pentad.tools.files.adapters.files_s3.ROOT`: what is below it is a tenant's files."""
TENANT = "${aws:PrincipalTag/tenant}"
RUN = "${aws:PrincipalTag/run}"
_TAGS = ("tool", "tenant", "run")


class ToolData(Construct):
    """The role, of which each session is one tool's for one tenant.

    Attributes:
        role: assumed by the runner only, with tags.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        build: Build,
        tools: Mapping[str, AnyTool],
        runner: iam.IRole,
        configured: ToolsFile,
    ) -> None:
        super().__init__(scope, name)
        self._stores = build.stores
        tagged = iam.ArnPrincipal(runner.role_arn).with_conditions(
            {
                "StringLike": {"aws:RequestTag/tool": "?*", "aws:RequestTag/tenant": "?*"},
                "ForAllValues:StringEquals": {"aws:TagKeys": list(_TAGS)},
            }
        )
        self.role = iam.Role(
            self,
            "role",
            assumed_by=iam.SessionTagsPrincipal(tagged),
            description=f"Role of the data of {build.stage.prefix}'s tools; each session is for one tool and tenant",
        )
        for (kind, actions), named in sorted(_group_grants(tools).items()):
            self._grant_records([keys.collection_pk(TENANT, kind)], actions, named)
        for kind, named in sorted(_group_marks(tools).items()):
            self._grant_records([keys.done_pk(TENANT, kind)], _MARK, named)
        for (folder, actions), named in sorted(_group_file_grants(tools).items()):
            self._grant_files(folder, actions, named)
        graphs = sorted(name for name, tool in tools.items() if graph.keeps_checkpoints(tool))
        if graphs:
            self._grant_checkpoints(graphs)
        for secret, named in sorted(_group_secrets(configured, tools).items()):
            self._grant_secret(build, configured.secrets[secret], named)

    def _grant_records(self, partitions: list[str], actions: tuple[str, ...], tools: list[str]) -> None:
        grants.grant_table(
            self.role,
            self._stores.records_table,
            actions,
            keys=partitions,
            conditions=_build_tool_condition(tools),
        )

    def _grant_files(self, folder: str, actions: tuple[str, ...], tools: list[str]) -> None:
        """Let sessions act on files below a folder of their tenant, and list them."""
        bucket, prefix, condition = (
            self._stores.payload_bucket,
            f"{ROOT}/{TENANT}/{folder}",
            _build_tool_condition(tools),
        )
        grants.grant_objects(self.role, bucket, actions, prefix=prefix, conditions=condition)
        listed = condition | {"StringLike": {"s3:prefix": f"{prefix}*"}}
        grants.grant_bucket(self.role, bucket, ["s3:ListBucket"], conditions=listed)

    def _grant_secret(self, build: Build, secret: DeclaredSecret, tools: list[str]) -> None:
        """Let a session read its tenant's own secret, and no other tenant's."""
        grants.grant_tool_secret(
            self.role,
            f"{secret.place.secret}/{TENANT}",
            find_secret_key(self, secret, build),
            renews=secret.place.renewed,
            conditions=_build_tool_condition(tools),
        )

    def _grant_checkpoints(self, tools: list[str]) -> None:
        condition = _build_tool_condition(tools)
        grants.grant_table(
            self.role,
            self._stores.state_table,
            [*grants.READ, *grants.APPEND],
            keys=[keys.graph_pk(TENANT, RUN), keys.graph_pk(TENANT, f"{RUN}.*")],
            conditions=condition,
        )
        bucket = self._stores.payload_bucket
        grants.grant_objects(
            self.role,
            bucket,
            ["s3:GetObject", "s3:PutObject"],
            prefix=f"graphs/{TENANT}/{RUN}/",
            conditions=condition,
        )


def _build_tool_condition(tools: list[str]) -> dict[str, dict[str, object]]:
    return {"StringEquals": {"aws:PrincipalTag/tool": tools}}


def _group_grants(tools: Mapping[str, AnyTool]) -> dict[tuple[str, tuple[str, ...]], list[str]]:
    """Return the tools by kind of record and by what they may do with it: one statement each."""
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for name, tool in sorted(tools.items()):
        for grant in tool.grants:
            actions = (*(_READ if grant.reads else ()), *(_CHANGE if grant.writes else ()))
            named = found.setdefault((grant.keys, actions), [])
            if name not in named:
                named.append(name)
    return found


def _group_file_grants(tools: Mapping[str, AnyTool]) -> dict[tuple[str, tuple[str, ...]], list[str]]:
    """Return the tools by folder and by what they may do with its files. To write on a condition is to look first."""
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for name, tool in sorted(tools.items()):
        for grant in tool.file_grants:
            named = found.setdefault((grant.keys, (*_READ_FILES, *(_CHANGE_FILES if grant.writes else ()))), [])
            if name not in named:
                named.append(name)
    return found


def _group_marks(tools: Mapping[str, AnyTool]) -> dict[str, list[str]]:
    """Return the tools that mark what they have done, by the kind beside which their marks are."""
    found: dict[str, list[str]] = {}
    for name, tool in sorted(tools.items()):
        if tool.in_one_piece:
            found.setdefault(RecordRules(tool.grants, name).mark_kind, []).append(name)
    return found


def _group_secrets(configured: ToolsFile, tools: Mapping[str, AnyTool]) -> dict[str, list[str]]:
    """Return the tools by the secret of which tenants have their own."""
    found: dict[str, list[str]] = {}
    for name in sorted(tools):
        for secret in configured.used.get(name, ()):
            if configured.secrets[secret].by_tenant:
                found.setdefault(secret, []).append(name)
    return found


def list_data(tool: AnyTool, configured: ToolsFile) -> list[declarations.ToolData]:
    """Return what of a tenant's a tool reaches."""
    found: list[declarations.ToolData] = ["records"] if tool.grants else []
    found += ["files"] if tool.file_grants else []
    found += ["checkpoints"] if graph.keeps_checkpoints(tool) else []
    return [*found, "secrets"] if configured.has_own_secrets(tool.name) else found
