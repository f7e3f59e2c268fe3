"""The simulated Belvo. Start at `api`: its routes and who may call them."""
