"""Any operation of the API by its name, as one step."""
