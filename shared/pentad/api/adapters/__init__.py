"""Where API keys are kept and upload addresses are signed."""
