"""A switch-over on the devices: two transactions where it can be made before it is broken, else one.

make      the new link, while all that is there goes on; it has to make key before the trial ends
remove    the links that end for it

move      all of it at once, where the new link needs a module, port or frequency of an old one. The devices undo
          it unless key comes within the acquisition time of the modules' profile: then they are as they were
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from sdqkd.controller.controller import Controller
from sdqkd.controller.intent import desired
from sdqkd.controller.migration import making
from sdqkd.controller.plan import Plan, make_plan
from sdqkd.errors import ApplyError
from sdqkd.network.model import Network
from sdqkd.schema.tree import Container

Step = Literal["make", "remove", "move"]
Running = Mapping[str, Container]
CarryOut = Callable[[Step, Plan, Running], Awaitable[None]]


async def switch_over(controller: Controller, before: Network, carry_out: CarryOut) -> None:
    """Lead the devices from what the file wanted to what the controller's network wants.

    `carry_out` applies a plan, made from what was running; what it raises ends it. Raises ApplyError, and
    nothing is changed, if the devices are not as the file wanted them: else more would change than the switch-
    over.
    """
    running = await controller.read()
    _demand_as_wanted(before, running)
    plan = controller.plan()
    if plan.is_empty:
        return
    try:
        half = making(plan, controller.network, running)
    except ApplyError:
        await carry_out("move", plan, running)
        return
    if not half.is_empty:
        await carry_out("make", half, running)
        running = await controller.read()
    rest = controller.plan()
    if not rest.is_empty:
        await carry_out("remove", rest, running)


def _demand_as_wanted(before: Network, running: Running) -> None:
    plan = make_plan(before.name, desired(before), running)
    if not plan.is_empty:
        others = ", ".join(plan.changed)
        raise ApplyError(f"{others} differ from what the file wants: run `sdqkd apply` first; nothing was changed")
