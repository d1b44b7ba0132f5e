"""Undo a whole run: its effects and those of its sub-runs, the newest first."""
