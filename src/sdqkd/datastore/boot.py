"""What running is when an agent starts."""

from __future__ import annotations

from sdqkd.datastore.datastores import Datastores
from sdqkd.datastore.ports import Hardware, Store
from sdqkd.datastore.size_limit import SizeLimit
from sdqkd.errors import RpcError, RpcErrors, StoreError
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import EMPTY, Container
from sdqkd.schema.validate import Validator


def boot(
    schema: Schema,
    validator: Validator,
    hardware: Hardware,
    store: Store,
    *,
    startup: bool = False,
    besides: Container = EMPTY,
    size_limit: SizeLimit | None = None,
) -> Datastores:
    """Load running, or on the first start save the factory configuration, and let the hardware obey it.

    With `startup` there is a startup datastore, and what is loaded is that (RFC 6241 section 8.7). `besides` is
    top-level configuration that no hardware brings along: the factory's, and that of a kept configuration which
    was made without any of it.

    Raises StoreError if what was kept cannot be read or no longer fits the model: it is never replaced by the
    factory configuration, since that would switch a network off. Raises RpcError(s) if the factory
    configuration itself is wrong, and whatever the hardware raises.
    """
    kept = store.load()
    found = hardware.factory() if kept is None else kept
    missing = {name: node for name, node in besides.children.items() if name not in found.children}
    running = Container({**found.children, **missing}) if missing else found
    try:
        validator.check(running)
    except (RpcError, RpcErrors) as error:
        if kept is None:
            raise
        raise StoreError(f"the kept configuration does not fit the model: {error}") from error
    if running is not kept:
        store.save(running)
    hardware.apply(running)
    return Datastores(schema, validator, hardware, store, running, startup=startup, size_limit=size_limit)
