"""What we prove: an append-only, chained record of every act, refused act and read of personal data."""
