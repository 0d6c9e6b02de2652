"""Grid, loss and key rates: functions over numbers and arrays, SI inside, dB and THz only at the edges."""
