"""How hypothesis searches: at random on a desk, and always alike where `CI` is set, as `.ci/run` does.

What a desk finds is kept in `.hypothesis` and tried first the next time. `CI=true make test` does as CI does.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# How long an example takes says more about what else the machine does than about the example.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

# Hypothesis takes the second where `CI` is set. Both are written down here, so that no release changes them.
settings.register_profile("default", _PATIENT, derandomize=False)
settings.register_profile("ci", _PATIENT, derandomize=True, database=None, print_blob=True)
