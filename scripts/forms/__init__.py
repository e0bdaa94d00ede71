"""What only Windmill's forms send: buttons, members beside those of the API, models
that are typed in, and schemas that its editor made."""
