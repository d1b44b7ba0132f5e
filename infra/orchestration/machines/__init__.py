"""State machines: of agents (loop and reply) and of workflows, each with its role, versions and alias."""
