"""Login and password, people, the audit log."""
