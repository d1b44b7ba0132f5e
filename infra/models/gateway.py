"""The gateway's function: it alone may read the providers' secrets."""

import json

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.components import grants
from infra.components.build import Build, FunctionConstruct
from infra.components.function import FunctionOptions
from infra.components.run_grants import grant_payloads, grant_run_items, grant_switches
from infra.models.catalog import Models
from pentad.domain import keys
from pentad.observability.metrics import names

_SETTINGS_SECRETS = ("anthropic", "openai")
_RUNBOOK = "docs/runbooks/spend.md"


class Gateway(FunctionConstruct):
    """The function functions.models.gateway.

    Attributes:
        alias: what the stack's own functions call: single calls of models, and embeddings.
        graphs: what graphs' functions call, whose code is not the stack's: the function takes nothing from there but a
            call whose caller is proved. None where no tool is a graph.
    """

    def __init__(
        self, scope: Construct, name: str, *, build: Build, models: Models, identity: kms.IKey | None = None
    ) -> None:
        """Make the gateway.

        Args:
            scope: the parent.
            name: the construct's id.
            build: the surroundings.
            models: providers and chains.
            identity: the key by which the tool runner signs for whom a graph asks; None where no tool is a graph.
        """
        super().__init__(scope, name, build=build, options=_build_options(build, identity))
        # Callers use the alias: it points at a published version, and only those are restored from a snapshot.
        version = self.function.current_version
        self.alias = lambda_.Alias(self, "live", alias_name="live", version=version)
        self.graphs: lambda_.Alias | None = None
        if identity is not None:
            self.graphs = lambda_.Alias(self, "graphs", alias_name="graphs", version=version)
            grants.grant_key(self.role, identity, ("kms:VerifyMac",))
        self._grant_state(build)
        self._grant_shared_state(build)
        # Attempts only: what tools did is the tool runner's to write, in partitions of its own.
        attempts = [keys.run_pattern(), keys.ledger_day_pattern()]
        grants.grant_table(self.role, build.stores.ledger_table, [*grants.APPEND, "dynamodb:Query"], keys=attempts)
        grant_payloads(self.role, build.stores)
        for secret in _SETTINGS_SECRETS:
            grants.grant_secret(self.role, build.stores.secrets[secret])
        for secret in build.stores.provider_secrets.values():
            grants.grant_named_secret(self.role, secret, build.stores.data_key)
        for model, region in models.bedrock_models:
            grants.grant_bedrock_model(self.role, model.id, region or Stack.of(self).region)
        # A quarter of an hour: abuse, or a limit that is too low.
        self._create_alarm(
            build,
            "budget-refusals",
            names.BUDGET_REFUSALS,
            f"Budgets refuse calls. What to do: {_RUNBOOK}",
            periods=3,
        )
        # Costs are estimates until that ends.
        self._create_alarm(
            build,
            "usage-absurd",
            names.USAGE_ABSURD,
            "A provider reports impossible usage. The log's usage.absurd names the model",
            periods=1,
        )

    def _create_alarm(self, build: Build, name: str, metric: str, description: str, *, periods: int) -> None:
        """Tell when a count of what must not happen is above zero in so many times five minutes on end."""
        cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{build.stage.prefix}-{name}",
            alarm_description=description,
            metric=cloudwatch.Metric(
                namespace=names.NAMESPACE,
                metric_name=metric,
                dimensions_map={"stage": build.stage.name},
                statistic="Sum",
                period=Duration.minutes(5),
            ),
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            threshold=1,
            evaluation_periods=periods,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _grant_state(self, build: Build) -> None:
        """Let it keep turns, and read budgets and count what is spent."""
        grant_run_items(self.role, build.stores, at_once=True)
        table = build.stores.state_table
        grants.grant_table(self.role, table, ["dynamodb:Query"], keys=[keys.collection_pattern("BUDGETS")])
        grants.grant_table(self.role, table, ["dynamodb:UpdateItem"], keys=[keys.spend_pattern()])

    def _grant_shared_state(self, build: Build) -> None:
        """Let it reserve budgets, cache replies, share breakers, and read the switches."""
        table = build.stores.transient_table
        grants.grant_table(
            self.role, table, [*grants.READ, *grants.READ_MANY, *grants.WRITE], keys=[keys.budget_pattern()]
        )
        cached = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"]
        grants.grant_table(self.role, table, cached, keys=[keys.cached_reply_pattern()])
        breakers = [keys.BREAKER, keys.collection_pattern("BREAKER"), keys.DRILL]
        grants.grant_table(self.role, table, [*grants.READ, *grants.WRITE], keys=breakers)
        grants.grant_table(
            self.role, table, ["dynamodb:PutItem", "dynamodb:UpdateItem"], keys=[keys.collection_pattern("SHARES")]
        )
        grant_switches(self.role, table)


def _build_options(build: Build, identity: kms.IKey | None) -> FunctionOptions:
    secrets = build.stores.secrets
    named = {f"{name.upper()}_SECRET": secrets[name].secret_arn for name in _SETTINGS_SECRETS}
    return FunctionOptions(
        name="gateway",
        module="functions.models.gateway",
        environment=build.state_environment
        | {
            "LEDGER_TABLE": build.stores.ledger_table.table_name,
            "GATEWAY_SHARE": str(build.stage.gateway_share),
        }
        | ({} if identity is None else {"IDENTITY_KEY": identity.key_arn})
        | named
        | _build_secret_variables(build),
        # A turn of a reasoning model can take minutes.
        timeout_seconds=300,
        memory_mb=1024,
        concurrency=build.stage.gateway_concurrency,
        description="Model gateway: one turn of an agent, or embeddings",
        snap_start=True,
    )


def _build_secret_variables(build: Build) -> dict[str, str]:
    """Return the variable with the names of other providers' secrets; none where no chain needs one."""
    names = dict(build.stores.provider_secrets)
    return {"PROVIDER_SECRETS": json.dumps(names)} if names else {}
