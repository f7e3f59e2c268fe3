"""Heron. Start with `provider`: its calls. `answers` and `records` parse responses, `forms` defines inputs."""
