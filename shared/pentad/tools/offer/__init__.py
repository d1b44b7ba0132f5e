"""Which tools a model is offered in a turn."""
