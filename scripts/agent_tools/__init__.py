"""The tools of agents, and how they read what a model gives them."""
