"""Beat and the workers leave a sign of life every few seconds: who reads it knows since when nothing has run."""
