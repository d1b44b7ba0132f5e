"""What a project declares: agents, workflows, schedules."""
