"""AWS clients, items and error translation that the adapters of several layers share; imported by adapters only."""
