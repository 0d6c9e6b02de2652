"""The emulated network: what agents report follows from what is configured and how light runs.

`plant.Plant` is the whole; `running.Running` holds what is configured and broken; `evaluate.evaluate` makes
the reports, a pure function without a clock, by the laws of `coexistence`.
"""
