"""Where untrusted text comes from."""
