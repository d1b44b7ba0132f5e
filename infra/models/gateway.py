"""The gateway's function: it alone may read the providers' secrets."""

from constructs import Construct

from infra.components import grants
from infra.components.build import Build


class Gateway(Construct):
    """The function functions.models.gateway."""

    def __init__(self, scope: Construct, name: str, *, build: Build) -> None:
        super().__init__(scope, name)
        state = build.state
        made = build.function(
            self,
            "gateway",
            module="functions.models.gateway",
            environment=build.state_environment
            | {
                "LEDGER_TABLE": state.ledger_table.table_name,
                "ANTHROPIC_SECRET": state.secrets["anthropic"].secret_arn,
                "OPENAI_SECRET": state.secrets["openai"].secret_arn,
            },
            # A turn of a reasoning model can take minutes.
            timeout_seconds=300,
            memory_mb=1024,
            concurrency=build.stage.gateway_concurrency,
            description="Model gateway: one turn of an agent, or embeddings",
        )
        self.function = made.function
        grants.table(made.role, state.state_table, [*grants.READ, *grants.WRITE], keys=["T#*#S#*", "T#*#R#*"])
        grants.table(made.role, state.ledger_table, [*grants.APPEND, "dynamodb:Query"])
        grants.objects(made.role, state.payload_bucket, ["s3:GetObject", "s3:PutObject"])
        for secret in ("anthropic", "openai"):
            grants.secret(made.role, state.secrets[secret])
