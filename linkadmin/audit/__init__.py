"""An append-only, tamper-evident log of every act, refused act and read of personal data. Start with log.py."""
