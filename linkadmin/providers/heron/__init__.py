"""Heron. Start with `provider`: its calls; `answers` and `records` read what comes back, `forms` says what is typed."""
