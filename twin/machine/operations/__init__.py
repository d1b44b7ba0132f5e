"""What operations of the API need beside the interpreter: redrives, execution logs, tests of a state."""
