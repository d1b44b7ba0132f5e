"""The HTTP API: one integration, one authorizer, no open route."""

import json
from collections.abc import Sequence

from aws_cdk import ArnFormat, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.components import grants
from infra.components.build import Build
from infra.components.function import FunctionOptions, PythonFunction
from infra.components.reasons import acknowledge
from infra.components.stage_bus import StageBus
from infra.config import Stage
from infra.orchestration.grants import build_start_statement, grant_describe, grant_start
from infra.orchestration.names import execution_arns, machine_arn, machine_name_of
from infra.retention import build_fact_environment, build_kept_environment
from pentad.api.routes import MCP_PATH
from pentad.domain import keys
from pentad.domain.knowledge import BULK_MACHINE

_METHODS = (
    apigateway.HttpMethod.GET,
    apigateway.HttpMethod.HEAD,
    apigateway.HttpMethod.POST,
    apigateway.HttpMethod.PUT,
    apigateway.HttpMethod.PATCH,
    apigateway.HttpMethod.DELETE,
)
# What the API reads, and what clients in browsers add: OpenAI's (openai-node 6, `client.ts`), the AI SDK (which names
# itself; a preflight asks for that but in Chrome), and a page's own tracing.
_CORS_HEADERS = (
    "authorization",
    "content-type",
    "idempotency-key",
    "prefer",
    "x-pentad-strict",
    "openai-beta",
    "openai-organization",
    "openai-project",
    "traceparent",
    "tracestate",
    "user-agent",
    *(f"mcp-{name}" for name in ("protocol-version", "session-id", "method", "name")),
    *(
        f"x-stainless-{name}"
        for name in ("arch", "helper-method", "lang", "os", "package-version", "retry-count", "runtime")
    ),
    "x-stainless-runtime-version",
    "x-stainless-timeout",
)
_CORS_SHOWN = (
    "location",
    "preference-applied",
    "retry-after",
    "x-request-id",
    "x-should-retry",
    "mcp-session-id",
    *(f"x-pentad-{name}" for name in ("model", "cost-nanousd", "notice", "ignored", "mended")),
)
_LISTS = tuple(
    keys.collection_pattern(kind)
    for kind in ("RUNS", "SESSIONS", "APPROVALS", "REVIEWS", keys.FEEDBACK_LIST, keys.VERDICT_LIST)
)
"""Partitions of the index that the API lists."""
_EXECUTIONS = ("states:DescribeExecution", "states:GetExecutionHistory", "states:StopExecution")
# No query string and no header: either may hold what a client should not have put there.
_ACCESS_FIELDS = {
    "requestId": "$context.requestId",
    "ip": "$context.identity.sourceIp",
    "time": "$context.requestTime",
    "method": "$context.httpMethod",
    "route": "$context.routeKey",
    "path": "$context.path",
    "status": "$context.status",
    "tenant": "$context.authorizer.tenant",
    "key": "$context.authorizer.key_id",
    "integrationLatency": "$context.integrationLatency",
    "responseLength": "$context.responseLength",
    "error": "$context.error.message",
}


class HttpApi(Construct):
    """API Gateway's HTTP API with the functions functions.api.http and functions.api.authorizer.

    Attributes:
        service: the function that answers.
        api: the API.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        build: Build,
        bus: StageBus,
        machines: Sequence[str],
        runner: lambda_.IFunction,
        gateway: lambda_.IFunction,
    ) -> None:
        super().__init__(scope, name)
        self._build = build
        self._gateway = gateway
        self._runner = runner
        self._bus = bus
        self.service = build.create_function(self, self._build_service_options())
        grant_start(self.service.role, build, [machine_arn(self, build.stage, machine) for machine in machines])
        self._grant_stores()
        self._grant_running(machines)
        self.api = self._create_api(self._create_authorizer().function)
        self._publish(build.stage)
        CfnOutput(self, "url", value=self.api.api_endpoint).override_logical_id("ApiUrl")

    def _create_api(self, authorizer: lambda_.IFunction) -> apigateway.HttpApi:
        """Return the API, all of whose routes go through the authorizer."""
        keys_authorizer = authorizers.HttpLambdaAuthorizer(
            "keys",
            authorizer,
            identity_source=["$request.header.Authorization"],
            response_types=[authorizers.HttpLambdaResponseType.SIMPLE],
            # A revoked key works for no longer than this.
            results_cache_ttl=Duration.seconds(60),
        )
        api = apigateway.HttpApi(
            self,
            "http-api",
            api_name=f"{self._build.stage.prefix}-api",
            description="Pentad: runs, sessions, approvals, documents",
            create_default_stage=False,
            default_authorizer=keys_authorizer,
            cors_preflight=_build_cors(self._build.stage.cors_origins),
        )
        service = integrations.HttpLambdaIntegration("service", self.service.function)
        for path in ("/v1/{proxy+}", MCP_PATH):
            api.add_routes(
                path=path,
                # A route that takes OPTIONS would get the preflight, which has no credential, and refuse it.
                methods=list(_METHODS) if self._build.stage.cors_origins else [apigateway.HttpMethod.ANY],
                integration=service,
            )
        return api

    def _publish(self, stage: Stage) -> None:
        """Deploy the API with its throttle and its access log."""
        access = logs.LogGroup(
            self,
            "access",
            log_group_name=f"/aws/vendedlogs/apigateway/{stage.prefix}-api",
            retention=stage.log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )
        default = apigateway.HttpStage(
            self,
            "stage",
            http_api=self.api,
            stage_name="$default",
            auto_deploy=True,
            throttle=apigateway.ThrottleSettings(burst_limit=stage.api_burst, rate_limit=stage.api_rate),
        )
        plain = default.node.default_child
        assert isinstance(plain, apigateway.CfnStage)  # noqa: S101 - narrows jsii's type
        plain.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=access.log_group_arn, format=json.dumps(_ACCESS_FIELDS)
        )

    def _build_service_options(self) -> FunctionOptions:
        build, stores = self._build, self._build.stores
        return FunctionOptions(
            name="api",
            module="functions.api.http",
            environment=build.state_environment
            | build_fact_environment(build.stage.retention)
            | {
                "STATE_MACHINE_ARN_PREFIX": machine_arn(self, build.stage, ""),
                "LEDGER_TABLE": stores.ledger_table.table_name,
                "AUDIT_KEY": stores.audit_key.key_arn,
                "DOCUMENTS_BUCKET": stores.documents_bucket.bucket_name,
                "APPROVAL_KEY": stores.approval_key.key_arn,
                "EVENT_BUS": self._bus.event_bus_name,
                "TOOL_RUNNER": self._runner.function_arn,
                "GATEWAY_FUNCTION": self._gateway.function_arn,
            }
            | build_kept_environment(build.stage.retention)
            | ({"MCP_ORIGINS": " ".join(build.stage.cors_origins)} if build.stage.cors_origins else {}),
            timeout_seconds=29,  # API Gateway waits 30 s
            memory_mb=1024,
            description="HTTP API",
        )

    def _grant_stores(self) -> None:
        """Let the API read what there is, delete sessions, keep documents, and call the gateway and the tool runner."""
        role, stores = self.service.role, self._build.stores
        # Beside runs and sessions (`grant_start`): documents, spend, nodes of graphs; no keys and no budgets.
        shown = [
            keys.collection_pattern("DOCS"),
            keys.document_pattern(),
            keys.spend_pattern(),
            keys.graph_pattern(),
        ]
        grants.grant_table(role, stores.state_table, grants.READ, keys=shown)
        # A call that a client of MCP asks for, or an undo, is kept only while its run is open.
        grants.grant_table(role, stores.state_table, grants.CONDITION, keys=[keys.run_pattern()])
        grants.grant_table(role, stores.state_table, (), index="gsi1", keys=_LISTS)
        # What is remembered of users: shown, edited and forgotten.
        remembered = [*grants.READ, *grants.WRITE, *grants.DELETE]
        grants.grant_table(role, stores.state_table, remembered, keys=[keys.user_pattern()])
        grants.grant_table(role, stores.state_table, ["dynamodb:DeleteItem"], keys=[keys.session_pattern()])
        # Receipts of erasures; a function of its own removes things.
        grants.grant_table(role, stores.state_table, [*grants.READ, *grants.APPEND], keys=[keys.erasures_pattern()])
        read = [keys.run_pattern(), keys.audit_pattern()]
        grants.grant_table(role, stores.ledger_table, ["dynamodb:Query"], keys=read)
        grants.grant_audit(role, stores.ledger_table, stores.audit_key, keys.acts_pattern())
        counted = [keys.collection_pattern("RATES"), keys.collection_pattern("BULK")]
        grants.grant_table(role, stores.transient_table, ["dynamodb:UpdateItem"], keys=counted)
        # One request at a time undoes a run.
        turns = [keys.call_order_pattern()]
        grants.grant_table(role, stores.transient_table, [*grants.APPEND, *grants.DELETE], keys=turns)
        grants.grant_objects(role, stores.documents_bucket, ["s3:PutObject", "s3:DeleteObject"])
        # An upload replaces the version that is there when it is asked for, and no other.
        grants.grant_bucket(role, stores.documents_bucket, ["s3:ListBucket"])
        grants.grant_key(role, stores.approval_key, ["kms:Decrypt"], conditions=grants.FOR_ONE_APPROVAL)
        grants.grant_invoke(role, [self._runner.function_arn, self._gateway.function_arn])

    def _grant_running(self, machines: Sequence[str]) -> None:
        """Let the API wake runs that wait for a human, follow runs, and stop them."""
        role = self.service.role
        self._bus.grant_sending(role)
        grant_describe(role, self._build, machines, _EXECUTIONS)
        self._grant_machines(machines)

    def _grant_machines(self, machines: Sequence[str]) -> None:
        """Let the API wake runs, start bulk ingestions and tell how far they are, and seal cursors.

        In a policy of its own: all that stands in a role has 10,240 characters.
        """
        role, stage = self.service.role, self._build.stage
        runs = Stack.of(self).format_arn(
            service="states",
            resource="mapRun",
            resource_name=f"{machine_name_of(stage, BULK_MACHINE)}/documents:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        follow = ["states:DescribeExecution", "states:ListMapRuns"]
        executions = execution_arns(self, stage, BULK_MACHINE)
        policy = iam.ManagedPolicy(
            self,
            "machines",
            description="Runs that the API wakes, and its bulk ingestions",
            roles=[role],
            statements=[
                iam.PolicyStatement(
                    actions=["states:SendTaskSuccess"],
                    resources=[machine_arn(self, stage, machine) for machine in machines],
                ),
                build_start_statement([machine_arn(self, stage, BULK_MACHINE)]),
                iam.PolicyStatement(actions=follow, resources=[executions]),
                iam.PolicyStatement(actions=["states:DescribeMapRun"], resources=[runs]),
                iam.PolicyStatement(
                    actions=["kms:Encrypt", "kms:Decrypt"],
                    resources=[self._build.stores.approval_key.key_arn],
                    conditions=grants.FOR_ONE_CURSOR,
                ),
            ],
        )
        for kind, place in (("execution", ":*"), ("mapRun", "/documents:*")):
            acknowledge(
                policy,
                "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:"
                f"{kind}:{machine_name_of(stage, BULK_MACHINE)}{place}]",
                "Executions are named by who starts them, and map runs by Step Functions.",
            )

    def _create_authorizer(self) -> PythonFunction:
        build = self._build
        stage = build.stage
        oidc = {"OIDC_ISSUER": stage.oidc_issuer, "OIDC_AUDIENCE": stage.oidc_audience}
        options = FunctionOptions(
            name="authorizer",
            module="functions.api.authorizer",
            environment={"STATE_TABLE": build.stores.state_table.table_name}
            | {name: value for name, value in oidc.items() if value is not None},
            timeout_seconds=10,
            description="Tells whose API key or token a request carries",
        )
        made = build.create_function(self, options)
        grants.grant_table(
            made.role, build.stores.state_table, ["dynamodb:GetItem"], keys=[keys.collection_pattern("KEYS")]
        )
        return made


def _build_cors(origins: Sequence[str]) -> apigateway.CorsPreflightOptions | None:
    """Return what pages of these origins may do; None where there are none."""
    if not origins:
        return None
    return apigateway.CorsPreflightOptions(
        allow_origins=list(origins),
        allow_methods=[apigateway.CorsHttpMethod[method.name] for method in _METHODS],
        allow_headers=list(_CORS_HEADERS),
        expose_headers=list(_CORS_SHOWN),
        max_age=Duration.hours(1),
    )
