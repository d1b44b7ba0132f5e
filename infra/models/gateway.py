"""The gateway's function: it alone may read the providers' secrets."""

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.components import grants
from infra.components.build import Build
from infra.components.switches import grant_switches
from infra.models.catalog import Models
from pentad.domain import keys


class Gateway(Construct):
    """The function functions.models.gateway.

    Attributes:
        function: the function.
        alias: what everybody calls.
    """

    def __init__(self, scope: Construct, name: str, *, build: Build, models: Models) -> None:
        super().__init__(scope, name)
        stores = build.stores
        made = build.create_function(
            self,
            "gateway",
            module="functions.models.gateway",
            environment=build.state_environment
            | {
                "LEDGER_TABLE": stores.ledger_table.table_name,
                "ANTHROPIC_SECRET": stores.secrets["anthropic"].secret_arn,
                "OPENAI_SECRET": stores.secrets["openai"].secret_arn,
            }
            | self._build_secret_variables(build, models),
            # A turn of a reasoning model can take minutes.
            timeout_seconds=300,
            memory_mb=1024,
            concurrency=build.stage.gateway_concurrency,
            description="Model gateway: one turn of an agent, or embeddings",
            snap_start=True,
        )
        self.function = made.function
        # Callers use the alias: it points at a published version, and only those are restored from a snapshot.
        self.alias = lambda_.Alias(self, "live", alias_name="live", version=made.function.current_version)
        grants.grant_table(
            made.role,
            stores.state_table,
            [*grants.READ, *grants.WRITE],
            keys=[keys.session_pattern(), keys.run_pattern()],
        )
        grants.grant_table(made.role, stores.state_table, ["dynamodb:Query"], keys=[keys.collection_pattern("BUDGETS")])
        grants.grant_table(made.role, stores.state_table, ["dynamodb:UpdateItem"], keys=[keys.spend_pattern()])
        grants.grant_table(
            made.role, stores.transient_table, [*grants.READ, *grants.WRITE], keys=[keys.budget_pattern()]
        )
        grants.grant_table(
            made.role,
            stores.transient_table,
            ["dynamodb:GetItem", "dynamodb:PutItem"],
            keys=[keys.cached_reply_pattern()],
        )
        grants.grant_table(
            made.role, stores.transient_table, [*grants.READ, *grants.WRITE], keys=[keys.BREAKER, keys.DRILL]
        )
        grant_switches(made.role, stores.transient_table)
        grants.grant_table(made.role, stores.ledger_table, [*grants.APPEND, "dynamodb:Query"])
        grants.grant_objects(made.role, stores.payload_bucket, ["s3:GetObject", "s3:PutObject"])
        for secret in ("anthropic", "openai", *models.other_secrets):
            grants.grant_secret(made.role, stores.secrets[secret])
        for model, region in models.bedrock_models:
            grants.grant_bedrock_model(made.role, model.id, region or Stack.of(self).region)

    def _build_secret_variables(self, build: Build, models: Models) -> dict[str, str]:
        """Return the variable with the ARNs of other providers' secrets; none where no chain needs one."""
        arns = {name: build.stores.secrets[name].secret_arn for name in models.other_secrets}
        return {"PROVIDER_SECRETS": Stack.of(self).to_json_string(arns)} if arns else {}
