"""Who may: staff, roles, log-in, sessions."""
