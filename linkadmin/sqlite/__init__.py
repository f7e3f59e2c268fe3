"""The database backend for SQLite: Django's, whose transactions take turns within a process."""
