"""What to do about an exchange that failed, and what the service takes at most."""
