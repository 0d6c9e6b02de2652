"""What a plan does to QKD links, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sdqkd.controller.coexistence import UNSAID, Coexistence, LinkEffect

_INDENT = "    "


def effect_lines(effects: Coexistence) -> Iterator[str]:
    """Every channel that is added, moved or raised, with the links beside it; what other links change; and those
    that have too little key all the same.
    """
    told: set[str] = set()
    for channel in effects.channels:
        if channel.links:
            yield f"{channel}: QKD links on its fibres"
            yield from (f"{_INDENT}{_figures(effects.links[name])}" for name in channel.links)
            told |= {*channel.links}
    others = [link for name, link in effects.links.items() if name not in told]
    changed = [link for link in others if link.before_bps != link.after_bps or not link.starved]
    if changed:
        yield "other QKD links that change"
        yield from (f"{_INDENT}{_figures(link)}" for link in changed)
    starved = [link for link in others if link not in changed]
    if starved:
        yield "QKD links with too little key before and after, beside the light that the file describes"
        yield from (f"{_INDENT}{_figures(link)}" for link in starved)


def warning_lines(effects: Coexistence, forced: Sequence[str] = ()) -> Iterator[str]:
    """What speaks against the plan, or lets it be applied in stages."""
    for name in effects.harmed:
        if name in forced:
            yield f"forced: {effects.links[name].harm}"
        else:
            yield f"refused unless forced with --force {name}: {effects.links[name].harm}"
    if len(effects.stages) > 1:
        stages = "; ".join(f"{stage.name} ({', '.join(stage.plan.changed)})" for stage in effects.stages)
        yield f"in stages, each a transaction: {stages}"
        for name, link in effects.links.items():
            if link.harmed_on_the_way and name not in forced:
                yield f"{_INDENT}because at once, {link.harm}"
    if unsaid := effects.unsaid(forced):
        names = " ".join(f"--force {name}" for name in effects.unexplained(forced))
        yield f"refused unless forced with {names}: {UNSAID}"
        yield from (f"{_INDENT}{name}: {leafs}" for name, leafs in unsaid.items())


def _figures(link: LinkEffect) -> str:
    before, after = (_bps(rate_bps) for rate_bps in (link.before_bps, link.after_bps))
    rates = f"{link.link}: {after} bit/s" if before == after else f"{link.link}: {before} -> {after} bit/s"
    if not link.demand_bps:
        return f"{rates}, no demand"
    margin_bps = link.margin_bps
    margin = f"margin {margin_bps:,}" if margin_bps >= 0 else f"{-margin_bps:,} short"
    return f"{rates}, demand {link.demand_bps:,}, {margin}"


def _bps(rate_bps: int | None) -> str:
    return "no light" if rate_bps is None else f"{rate_bps:,}"
