"""Looking for faults that nobody knows of yet."""
