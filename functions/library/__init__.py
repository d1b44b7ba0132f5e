"""Tools that ship. One is deployed where an agent or a workflow names it; its namesake in functions/tools wins."""
