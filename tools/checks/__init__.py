"""What `./dev check` looks at."""
