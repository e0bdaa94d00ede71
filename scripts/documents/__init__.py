"""Files that people write: Word and Excel files, web pages."""
