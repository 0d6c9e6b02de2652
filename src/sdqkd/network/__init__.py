"""The network file as typed values: what stands where, how light can run, what is wanted. It decides nothing.

Both the controller, which derives configurations from it, and the emulated plant, which is built from it, read it
here, so that they cannot understand the file differently.
"""
