"""Two stacks: state, which is retained, and agent, which is everything else. They compose and grant, nothing more."""
