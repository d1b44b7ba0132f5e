"""How a tool is declared: what a tool's file imports."""

from pentad.tools.declare.context import ToolContext as ToolContext
from pentad.tools.declare.context import Undoable as Undoable
from pentad.tools.declare.declare import tool as tool
from pentad.tools.records.grants import Grant as Grant
