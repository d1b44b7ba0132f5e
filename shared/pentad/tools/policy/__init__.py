"""Whether a call may run, asks a human first, or is denied: one decision for turns, workflows and the tool runner."""
