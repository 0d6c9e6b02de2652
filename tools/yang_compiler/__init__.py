"""What turns `yang/` into `bindings/`: a pyang context for each model set, and writers that read it."""
