"""Quantum light beside classical light: how light runs, whom a quantum channel meets, what becomes of its key.

light         where light gets to, with switches and fibres as they are; faults says what can be broken
exposure      which classical light a quantum channel meets, fibre by fibre
baseline      which classical light was there when links were measured: as the file says, else as devices hold it
noise         what that adds up to at its receiver
curves        what a pair of modules makes of loss and noise; performance puts both together
three_parties the same of a hub and two emitters
installation  what does not change: the network, and what was measured on it

All pure. The emulated network reports by it and plans are checked by it, so the two agree. `noise`, `curves`,
`performance` and `three_parties` need NumPy, so import them where there is light.
"""
