"""Staff, roles as data, sign-in, sessions and their limits. Start with roles.py: what each role may do and see."""
