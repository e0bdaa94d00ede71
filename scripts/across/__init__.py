"""A table that several jobs of a flow answer: cut into parts, and joined again."""
