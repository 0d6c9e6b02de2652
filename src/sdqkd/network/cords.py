"""What joins ports outside their elements: patch cords and fibres, and the amplifiers in them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sdqkd.network.model import Amplifier, Network, Port


@dataclass(frozen=True, slots=True)
class Cord:
    """What joins two ports outside their elements. `fibre` is None for a patch cord.

    Light of transponders gains `boost_db` where it enters and `lift_db` where it leaves. `amplifier` names one
    that no quantum light passes, "" if there is none.
    """

    far: Port
    loss_db: float
    fibre: str | None
    boost_db: float = 0.0
    lift_db: float = 0.0
    amplifier: str = ""

    @property
    def why_barred(self) -> str:
        """Why quantum light ends here, "" if it does not."""
        return f"the amplifier {self.amplifier} is on the way, which ends quantum light" if self.amplifier else ""


def amplify(network: Network, cords: dict[Port, Cord], amplifier: Amplifier) -> None:
    """Note an amplifier in both directions of its cord; without a cord it is a fault of the file."""
    here = cords.get(amplifier.port)
    if here is None:
        return
    bidi = here.fibre is not None and network.fibres[here.fibre].scheme == "bidi"
    ends = "" if bidi else amplifier.name
    back = cords[here.far]
    boost_db, lift_db = (0.0, amplifier.gain_db) if amplifier.arriving else (amplifier.gain_db, 0.0)
    here = replace(here, boost_db=here.boost_db + boost_db, amplifier=here.amplifier or ends)
    back = replace(back, lift_db=back.lift_db + lift_db, amplifier=back.amplifier or ends)
    cords[amplifier.port], cords[here.far] = here, back
