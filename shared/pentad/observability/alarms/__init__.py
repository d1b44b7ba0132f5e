"""The alarms of a stage, as data: infra makes them, the drill raises them, the documentation lists them."""
