"""The overview: how many links wait on whom, now and over 90 days."""
