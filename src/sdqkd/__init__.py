"""sdqkd: the management plane of a software-defined QKD network."""

__version__ = "0.1.0"
