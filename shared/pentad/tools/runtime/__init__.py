"""The runtime around a tool: validation, policy, effects, audit, undo."""
