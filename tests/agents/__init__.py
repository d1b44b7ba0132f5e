"""What the agents of this project do: tests as users write them (docs/test-your-agent.md)."""
