"""RFC 7951 text of the typed classes, mending what pyangbind's own IETF JSON gets wrong.

pyangbind leaves out the module of an identity whose leaf has a typedef's type (RFC 7951 section 6.8), and it
prints a decimal64 with a range as it was computed, so that 193.4 given as a float has 45 fraction digits.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from pyangbind.lib.serialise import IETFYangDataSerialiser, pybindIETFJSONEncoder

DECIMAL64_DIGITS = 19  # RFC 7950 section 9.3: what has more was a binary float


class _Serialiser(IETFYangDataSerialiser):  # type: ignore[misc]
    def default(self, obj: Any) -> Any:
        if isinstance(obj, str):
            module = getattr(obj, "_enumeration_dict", {}).get(obj, {}).get("@module")
            if module:
                return f"{module}:{obj.rpartition(':')[2]}"
        return super().default(obj)

    def yangt_decimal(self, obj: Decimal) -> str:
        exact = len(obj.as_tuple().digits) <= DECIMAL64_DIGITS
        return format(obj if exact else Decimal(repr(float(obj))), "f")


class _Encoder(pybindIETFJSONEncoder):  # type: ignore[misc]
    serialiser_class = _Serialiser


def ietf(*roots: Any) -> str:
    """One JSON document with what was set in `roots`, which are instances of modules' classes.

    Raises `TypeError` for a node below a root: without its ancestors it is no document.
    """
    tree: dict[str, Any] = {}
    for root in roots:
        if hasattr(root, "_parent"):
            raise TypeError(f"{root.yang_name()} lies below its module's root: serialise the root")
        tree |= pybindIETFJSONEncoder.generate_element(root, flt=True)
    return json.dumps(tree, cls=_Encoder, indent=1)
