"""Plain rules that stand in for a model: each finds one kind of wish in a question."""
