"""What `make run` seeds and starts. Start with __main__.py."""
