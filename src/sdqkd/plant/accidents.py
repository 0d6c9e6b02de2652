"""What may happen to a plant, in words that people type and scripts keep: `cut FIBRE`, `drift DEVICE PART DB`.

The words that list what is broken are those that break it again, and a seed draws the same accidents every time.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sdqkd.coexistence.faults import Booster, Faults
from sdqkd.errors import InputError
from sdqkd.network.model import Network
from sdqkd.plant.plant import Plant

Words = tuple[str, ...]
MOST_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Action:
    """Something that may be done to a plant. `asks` names the words that follow; those in `[]` may be left out."""

    asks: Words
    help: str
    do: Callable[[Plant, Words], None]


def _draw(plant: Plant, given: Words) -> None:
    seed = _whole(given[0], "the seed")
    count = _whole(given[1], "the number of accidents") if len(given) > 1 else 1
    for words in draw(plant.network, seed, count):
        act(plant, words)


def _repair(plant: Plant, at: Words) -> None:
    plant.repair(*at)
    plant.adjust(*at)


ACTIONS: Mapping[str, Action] = {
    "cut": Action(("FIBRE",), "cut a fibre pair", lambda plant, at: plant.cut(at[0])),
    "loss": Action(
        ("FIBRE", "DB"),
        "add to the loss of a fibre pair",
        lambda plant, at: plant.add_loss(at[0], _number(at[1], "the loss")),
    ),
    "amplifier": Action(
        ("FIBRE", "GAIN_DB", "[NOISE_FIGURE_DB]"),
        "let an amplifier at the classical input hiss (noise figure 5 dB)",
        lambda plant, at: plant.hiss(at[0], Booster(*(_number(word, "a level") for word in (*at[1:], "5")[:2]))),
    ),
    "mend": Action(("FIBRE",), "make a fibre pair as it was", lambda plant, at: plant.mend(at[0])),
    "fail": Action(
        ("DEVICE", "PART"),
        "let an interface, a port or a line fail",
        lambda plant, at: plant.fail(at[0], at[1]),
    ),
    "pull": Action(
        ("DEVICE", "INTERFACE"), "pull a QKD module out of its node", lambda plant, at: plant.pull(at[0], at[1])
    ),
    "plug": Action(
        ("DEVICE", "INTERFACE"), "plug a QKD module in again", lambda plant, at: plant.plug(at[0], at[1])
    ),
    "drift": Action(
        ("DEVICE", "PART", "DB"),
        "let a laser send so much more (or less) than it is told",
        lambda plant, at: plant.drift(at[0], at[1], _number(at[2], "the drift")),
    ),
    "misalign": Action(
        ("DEVICE", "INTERFACE", "PERCENT"),
        "let a DV module get so much of its bits wrong, beside what it does anyhow",
        lambda plant, at: plant.misalign(at[0], at[1], _number(at[2], "the share of wrong bits") / 100),
    ),
    "repair": Action(("DEVICE", "PART"), "make a part as it was", _repair),
    "random": Action(("SEED", "[COUNT]"), "let accidents happen that the seed draws", _draw),
    "heal": Action((), "make everything as it was", lambda plant, _: plant.heal()),
}


def act(plant: Plant, words: Sequence[str]) -> None:
    """Do what the words say. Raises InputError, and does nothing, if they make no sense or name what is not there.

    Of several accidents that a seed draws, those before a refused one have happened.
    """
    name, *rest = words
    action = ACTIONS.get(name)
    if action is None:
        raise InputError(f"nothing is called '{name}'; there are {', '.join(ACTIONS)}")
    least = sum(not ask.startswith("[") for ask in action.asks)
    if not least <= len(rest) <= len(action.asks):
        raise InputError(f"it is '{' '.join((name, *action.asks))}', not '{' '.join(words)}'")
    action.do(plant, tuple(rest))


def described(faults: Faults) -> tuple[Words, ...]:
    """What is broken, as the words that break it."""
    return (
        *(("cut", fibre) for fibre in sorted(faults.cut)),
        *(("loss", fibre, f"{loss_db:g}") for fibre, loss_db in sorted(faults.added_loss_db.items())),
        *(
            ("amplifier", fibre, *(f"{x:g}" for x in booster))
            for fibre, booster in sorted(faults.boosters.items())
        ),
        *(("fail", *part) for part in sorted(faults.failed - faults.pulled)),
        *(("pull", *part) for part in sorted(faults.pulled)),
        *(("drift", *part, f"{drift_db:g}") for part, drift_db in sorted(faults.drift_db.items())),
        *(("misalign", *part, f"{100 * share:g}") for part, share in sorted(faults.misalignment.items())),
    )


def draw(network: Network, seed: int, count: int) -> tuple[Words, ...]:
    """So many accidents, the same for the same network file and seed. Raises InputError for a silly number.

    Lasers drift often, fibres lose light now and then, and a cut, a failed part or a hissing amplifier is rare.
    """
    if not 0 <= count <= MOST_AT_ONCE:
        raise InputError(f"the number of accidents must be between 0 and {MOST_AT_ONCE}")
    chance = random.Random(seed)  # noqa: S311  an accident is no secret
    fibres = [(name,) for name in network.fibres]
    lasers = [(device.name, port) for device in network.of_kind("transponder") for port in device.ports]
    modules = [
        (device.name, str(number)) for device in network.of_kind("qkd-node") for number in device.interfaces
    ]
    kinds: tuple[tuple[int, str, Sequence[Words], Callable[[], Words]], ...] = (
        (6, "drift", lasers, lambda: (f"{chance.gauss(0, 2):.2f}",)),
        (3, "loss", fibres, lambda: (f"{chance.expovariate(1):.2f}",)),
        (1, "cut", fibres, tuple),
        (1, "fail", lasers + modules, tuple),
        (1, "amplifier", fibres, lambda: (f"{chance.uniform(10, 25):.1f}", "5")),
    )
    possible = [kind for kind in kinds if kind[2]]
    weights = [kind[0] for kind in possible]
    chosen = chance.choices(possible, weights, k=count) if possible else []
    return tuple((name, *chance.choice(places), *how()) for _, name, places, how in chosen)


def _number(word: str, what: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise InputError(f"{what} must be a number, not '{word}'") from None


def _whole(word: str, what: str) -> int:
    try:
        return int(word)
    except ValueError:
        raise InputError(f"{what} must be a whole number, not '{word}'") from None
