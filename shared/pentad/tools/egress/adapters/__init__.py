"""Where HTTP and names really go: httpcore and the system."""
