"""The local twin: the synthesized assembly on a laptop. Never in a Lambda layer."""
