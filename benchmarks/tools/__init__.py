"""What the runtime of tools costs, and how many tools are found by words."""
