"""What a tool reaches beyond the stack: credentials by name, and hosts over HTTP."""
