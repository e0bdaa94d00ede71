"""Files and bytes: given as an argument, fetched, downloaded, shown and stored."""
