"""The write gate: what is kept of what a model names as worth remembering."""
