"""What `make run` creates and starts. Start with __main__.py."""
