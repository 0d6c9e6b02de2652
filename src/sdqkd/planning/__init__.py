"""What could run on a network: light paths, channels, switch configurations and their shares of time. All pure.

It counts on the physics by which the emulated network runs, and tells the controller what would work; what is
then wanted on which device stays in `controller`. SciPy's HiGHS solves what has to be solved; it is imported
where it is used.
"""
