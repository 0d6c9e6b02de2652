"""From secret bits per pulse to bits per second, and what a vendor's box makes of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sdqkd.physics.decibel import Array, as_array


def capped_bps(rate_bps: ArrayLike, cap_bps: ArrayLike) -> Array:
    """A rate behind post-processing, or a licence, that does no more than the cap.

    >>> capped_bps([500.0, 5000.0], 2040.0).tolist()
    [500.0, 2040.0]
    """
    return np.minimum(as_array(rate_bps), as_array(cap_bps))


def anchored_bps(per_pulse: ArrayLike, anchor_per_pulse: ArrayLike, anchor_bps: ArrayLike) -> Array:
    """A rate by its ratio to a point that was measured. 0 where the model has no key at that point.

    >>> anchored_bps([0.2, 0.05], 0.1, 1000.0).tolist()
    [2000.0, 500.0]
    """
    anchor = as_array(anchor_per_pulse)
    known = anchor > 0
    return np.where(known, as_array(anchor_bps) * as_array(per_pulse) / np.where(known, anchor, 1.0), 0.0)
