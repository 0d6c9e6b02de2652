"""The command line: the one place that constructs."""
