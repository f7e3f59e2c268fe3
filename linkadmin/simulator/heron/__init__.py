"""The simulated Heron. Start at `api`: its routes and who may call them."""
