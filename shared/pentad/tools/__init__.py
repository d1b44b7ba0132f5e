"""Tools and actions: declaration, runtime, effects, audit, undo."""
