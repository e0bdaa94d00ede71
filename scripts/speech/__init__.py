"""Recordings and spoken text, and subtitles."""
