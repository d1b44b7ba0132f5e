"""The tool that shows what a change of a PostgreSQL database would come to."""

from typing import Annotated

from pydantic import Field

from functions.library.sql._sql import PACKAGES, open_database
from pentad.tools.data.sql import actions
from pentad.tools.data.sql.actions import Parameters, PreviewedChange
from pentad.tools.data.sql.settings import SqlChangeSettings
from pentad.tools.declare import ToolContext, tool


@tool(
    effects="none",
    settings=SqlChangeSettings,
    secrets=["settings.secret"],
    packages=PACKAGES,
    rate_limit="120/minute per tenant",
    trusted_output=False,
    timeout_seconds=90,
)
def preview_sql_change(
    statement: Annotated[
        str, Field(min_length=1, max_length=10_000, description="one INSERT, UPDATE or DELETE, without comments")
    ],
    context: ToolContext,
    parameters: Parameters = [],  # noqa: B006 - pydantic copies the default of a parameter
) -> PreviewedChange:
    """Show which rows an INSERT, UPDATE or DELETE would change, before and after, and change nothing.

    Call it before change_sql, and give that tool rows and other_tables of this answer as they are.
    """
    settings = context.settings_of(SqlChangeSettings)
    return actions.preview(settings, open_database(settings, context), statement, parameters)
