"""What the API shows of runs, approvals, sessions and documents."""
