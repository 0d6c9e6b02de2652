"""The emulated network: what agents report follows from what is configured and how light runs."""
