"""The tool that changes a PostgreSQL database."""

from typing import Annotated

from pydantic import Field

from functions.library.sql._sql import PACKAGES, open_database
from pentad.tools.data.sql import actions
from pentad.tools.data.sql.actions import DoneChange, Parameters, RowsToRestore, ShownChange
from pentad.tools.data.sql.settings import SqlChangeSettings
from pentad.tools.declare import ToolContext, Undoable, tool


def restore(data: RowsToRestore, context: ToolContext) -> None:
    """Put the rows back as they were, if nobody has changed them since."""
    actions.undo(open_database(context.settings_of(SqlChangeSettings), context), data)


@tool(
    effects="external",
    settings=SqlChangeSettings,
    secrets=["settings.secret"],
    packages=PACKAGES,
    approval="always",
    rate_limit="30/minute per user, 1000/day per tenant",
    undo=restore,
    # A change whose connection broke may have happened; the database does not know the call again.
    idempotent=False,
    trusted_output=False,
    timeout_seconds=90,
)
def change_sql(
    statement: Annotated[
        str, Field(min_length=1, max_length=10_000, description="one INSERT, UPDATE or DELETE, without comments")
    ],
    rows: Annotated[
        list[ShownChange],
        Field(min_length=1, max_length=100, description="the rows of preview_sql_change's answer, as they are"),
    ],
    context: ToolContext,
    parameters: Parameters = [],  # noqa: B006 - pydantic copies the default of a parameter
    other_tables: Annotated[
        list[Annotated[str, Field(max_length=200)]],
        Field(max_length=100, description="the other_tables of preview_sql_change's answer, as they are"),
    ] = [],  # noqa: B006
) -> Undoable[DoneChange]:
    """Change rows of the database. A human sees the statement and the rows first; it can be undone later.

    Ask preview_sql_change first, with the same statement and parameters. If the rows would not become what it showed,
    nothing is changed. UPDATE and DELETE need a WHERE with a column.
    """
    settings = context.settings_of(SqlChangeSettings)
    database = open_database(settings, context)
    done, kept = actions.change(settings, database, statement, parameters, rows, other_tables)
    return Undoable(done, undo=kept.model_dump())
