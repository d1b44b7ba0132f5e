"""The gateway beside the SDKs it uses and beside LiteLLM: same fake server, same machine, one run."""
