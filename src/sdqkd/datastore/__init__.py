"""Which configuration is true: running, candidate, locks, edit-config, commit. Time is an argument."""
