"""The catalog of models: ids, prices, limits and routing, as dated data."""
