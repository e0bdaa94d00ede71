"""Files and folders in storage, as rows for a flow to go through."""
