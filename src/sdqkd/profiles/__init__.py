"""A short frozen file of figures for each vendor's equipment, each marked public or assumed."""
