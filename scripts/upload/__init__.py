"""Files of any size to the service: looked at, sent whole or in parts."""
