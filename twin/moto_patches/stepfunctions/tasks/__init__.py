"""What a task calls: services, functions, and what it waits for."""
