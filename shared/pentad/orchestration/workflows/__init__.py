"""Workflows: what each step does when its state is entered. The order of the steps is in the state machine."""
