"""What a state machine means: states, fields, errors, branches, waits."""
