"""What people did, in the audit: before it was done, and what came of it."""
