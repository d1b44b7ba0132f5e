"""The loop of agents, from its definition, in the interpreter of the twin over services in this process."""
