"""The functions around the state machines, and the rules, queues and schedules that feed them."""
