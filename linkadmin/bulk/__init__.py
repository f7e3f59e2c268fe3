"""The same action on many links, as a job. Start with services.py: plan, start, pause, resume."""
