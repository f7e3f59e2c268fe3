"""Second factors: authenticator apps, passkeys and recovery codes. Start with `owned.py`, what a person has."""
