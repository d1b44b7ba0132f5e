"""How a tool is declared: what a tool's file imports."""

from pentad.domain.declarations.approval_rules import Ask as Ask
from pentad.domain.declarations.approval_rules import AskWhenSum as AskWhenSum
from pentad.domain.declarations.approval_rules import among as among
from pentad.domain.declarations.approval_rules import ends_with as ends_with
from pentad.domain.declarations.approval_rules import for_tenants as for_tenants
from pentad.domain.declarations.approval_rules import for_users as for_users
from pentad.domain.declarations.approval_rules import has_taint as has_taint
from pentad.domain.declarations.approval_rules import over as over
from pentad.domain.declarations.approval_rules import under as under
from pentad.domain.declarations.approval_rules import unsure as unsure
from pentad.tools.declare.context import ToolContext as ToolContext
from pentad.tools.declare.context import Undoable as Undoable
from pentad.tools.declare.declare import tool as tool
from pentad.tools.records.grants import Grant as Grant
