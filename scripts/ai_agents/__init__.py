"""What ships with Windmill's own agent step: its tools' proposals, and their end."""
