"""Other services that accounts use: a list of leaked passwords, and a mail server."""
