"""What passes messages on: queues, topics, event buses, rules and schedules."""
