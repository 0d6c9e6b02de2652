"""Compiled models, data trees, paths, diff, edit, codecs and validation. No I/O but reading the models."""
