"""Grid, loss, noise and key rates: functions over numbers and arrays, SI inside, dB and THz only at the edges.

`grid` counts in whole Hz and needs nothing; all other modules import NumPy, so import them where they are used.
"""
