"""What to do about an exchange that failed; what goes well loads none of it."""
