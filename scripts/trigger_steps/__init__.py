"""What begins a flow: things of the account that changed, models that retire."""
