"""Jobs of the service: what kinds there are, waiting for them, ending them."""
