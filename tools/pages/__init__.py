"""The pages of the documentation, their pictures and the site."""
