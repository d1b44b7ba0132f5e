"""IAM of the local twin: who calls, what the call touches, and whether the synthesized policies allow it."""
