"""What an agent wraps: translation between a model's tree and a backend, nothing else.

Each kind of device is a module with the typed values that cross to the hardware (settings down, reports up), the
Protocol that a backend has, and the class that translates. What is emulated and what is real is the backend's
business; the emulated one is `sdqkd.plant`.
"""
