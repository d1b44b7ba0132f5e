"""What the SQL tools share: the database that a call's settings and secret name."""

from pentad.tools.data.sql.adapters.postgres import PostgresDatabase
from pentad.tools.data.sql.settings import SqlSettings
from pentad.tools.declare import ToolContext

PACKAGES = ("psycopg", "sqlglot")


def open_database(settings: SqlSettings, context: ToolContext) -> PostgresDatabase:
    """Return the database; it connects when it is asked.

    Raises:
        ConfigurationError: the secret is missing, or has no address.
    """
    credential = context.secret(settings.secret)
    return PostgresDatabase(
        credential.fields,
        seconds=settings.timeout_seconds,
        tenant_id=context.tenant,
        renew=lambda: context.renew_secret(settings.secret, credential).fields,
    )
