"""JSON Schemas that a user gives, and what is checked by them."""
