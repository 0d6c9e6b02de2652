"""The emulated network: what agents report follows from what is configured and how light runs.

`plant.Plant` is the whole; `running.Running` holds what is configured and broken; `evaluate.evaluate` makes
the reports, a pure function without a clock. `exposure` says which classical light a quantum channel meets;
`noise`, `curves` and `performance` say what that does to its key, by the laws of `physics`. These three need
NumPy, so nothing imports them before there is light.
"""
