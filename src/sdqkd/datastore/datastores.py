"""The datastores of one device and the operations on them: RFC 6241 sections 7 and 8.2 to 8.7.

Trees are persistent, so a candidate without changes is running itself and a rollback is a pointer. A change of
running goes one way only, `_replace_running`: judge, keep, swap, apply.

What the store keeps is what the next start loads. That is running, but while a confirmed commit is pending it
is the configuration from before: so a restart, at whatever moment, always rolls back (RFC 6241 section 8.4.1).
With a startup datastore, what the store keeps is startup.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Literal, TypeAlias

from lxml import etree

from sdqkd.datastore.confirmed import (
    Confirmation,
    ConfirmEvent,
    Pending,
    begin,
    demand_lockable,
    demand_say,
    none_pending,
)
from sdqkd.datastore.locks import NO_SESSION, Held, Locks, Target, lock_denied
from sdqkd.datastore.nacm import Rights
from sdqkd.datastore.part_edits import edit_parts, listed
from sdqkd.datastore.partial_locks import PartialLock, PartialLocks
from sdqkd.datastore.ports import Changed, Hardware, Store, Watcher
from sdqkd.datastore.size_limit import SizeLimit
from sdqkd.datastore.steps import Steps, finish
from sdqkd.errors import RpcError, RpcErrors, SdqkdError, StoreError
from sdqkd.schema.diff import same
from sdqkd.schema.edit import Part, edit_noting
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import EMPTY, Container, Path, merge
from sdqkd.schema.validate import Validator

TestOption: TypeAlias = Literal["test-then-set", "set", "test-only"]
ErrorOption: TypeAlias = Literal["stop-on-error", "continue-on-error", "rollback-on-error"]
DefaultOperation: TypeAlias = Literal["merge", "replace", "none"]

_LOG = logging.getLogger(__name__)


class Datastores:
    """Running, candidate and perhaps startup, with their locks.

    Sessions are their ids; a refusal is an RpcError or RpcErrors. `now_s` are seconds of any steady clock.
    """

    def __init__(
        self,
        schema: Schema,
        validator: Validator,
        hardware: Hardware,
        store: Store,
        running: Container,
        *,
        startup: bool = False,
        size_limit: SizeLimit | None = None,
    ) -> None:
        """Begin with what the hardware does and the store keeps already."""
        self._size_limit = size_limit or SizeLimit()
        self.schema = schema
        self.targets: tuple[Target, ...] = ("running", "candidate", *(("startup",) if startup else ()))
        self.watchers: list[Watcher] = []
        self._validator = validator
        self._hardware = hardware
        self._store = store
        self._running = running
        self._kept: Container | None = running  # None: startup was deleted
        self._candidate: Container | None = None  # None: without changes, it follows running
        self._pending: Pending | None = None
        self._locks = Locks()
        self._partial_locks = PartialLocks(schema)

    def get_config(self, source: Target) -> Container:
        """Give a whole datastore."""
        if source == "startup":
            return self._kept or EMPTY
        if source == "running" or self._candidate is None:
            return self._running
        return self._candidate

    @property
    def configurations(self) -> tuple[Container, ...]:
        """The datastores that there are, whole, in the order of `targets`."""
        return tuple(map(self.get_config, self.targets))

    def get(self) -> Container:
        """Give running with what the hardware reports now."""
        return merge(self.schema, self._running, self._hardware.state())

    def state(self) -> Container:
        """Give what the hardware reports now."""
        return self._hardware.state()

    def edit_config(
        self,
        session: int,
        target: Target,
        config: etree._Element,
        *,
        default_operation: DefaultOperation = "merge",
        test_option: TestOption | None = None,
        error_option: ErrorOption = "stop-on-error",
        rights: Rights | None = None,
    ) -> None:
        """Edit by the <config> element: RFC 6241 section 7.2. With `rights`, only what these permit.

        Running is validated whatever `test_option` says, candidate only when it is given: RFC 7950 section
        8.3.3 puts that off to the commit. An edit is done as a whole or not at all, unless `error_option` is
        continue-on-error: then the parts without error are done, and RpcErrors tells of the others.
        """
        # A request to replace the whole datastore cannot be done in parts.
        if error_option == "continue-on-error" and default_operation != "replace":
            finish(self.edit_parts(session, target, config, default_operation, test_option, rights))
            return
        self._locks.demand(session, target)
        edited = finish(self._edit(config, default_operation, rights, self.get_config(target)))
        self._finish_edit(session, target, edited, test_option)

    def edit_parts(
        self,
        session: int,
        target: Target,
        config: etree._Element,
        default_operation: DefaultOperation,
        test_option: TestOption | None,
        rights: Rights | None,
    ) -> Steps[None]:
        """Do in steps what `edit_config` does with continue-on-error; `default_operation` is not replace.

        Nothing is written before the last step. If by then somebody else has locked or changed the datastore,
        it raises RpcError `in-use`, and nothing is done.
        """
        self._locks.demand(session, target)
        before = self.get_config(target)
        edit = partial(self._edit, config, default_operation, rights)
        edited, errors = yield from edit_parts(self.schema, edit, before, config)
        yield
        self._locks.demand(session, target)
        if self.get_config(target) is not before:
            message = f"{target} was changed by somebody else while this was tried: nothing is done, send it again"
            raise RpcError("in-use", message)
        try:
            self._finish_edit(session, target, edited, test_option)
        except (RpcError, RpcErrors) as error:
            errors += listed(error)
        if errors:
            raise RpcErrors(errors)

    def _edit(
        self,
        config: etree._Element,
        default_operation: DefaultOperation,
        rights: Rights | None,
        before: Container,
        part: Part | None = None,
    ) -> Steps[Container]:
        edited = edit_noting(self.schema, before, config, default_operation, part)
        if rights is not None:
            # What `settle` deletes goes by itself: RFC 8341 section 3.2.5.
            rights.demand_change(before, edited.tree)
        yield
        return self._validator.settle(before, edited.tree, edited.named)

    def _finish_edit(
        self, session: int, target: Target, edited: Container, test_option: TestOption | None
    ) -> None:
        if test_option == "test-only" or (test_option == "test-then-set" and target == "candidate"):
            self._judge(edited)
        if test_option != "test-only":
            self._set(session, target, edited)

    def copy_config(
        self,
        session: int,
        source: Target | Container,
        target: Target,
        *,
        rights: Rights | None = None,
        reshape: Callable[[Container], Container] | None = None,
    ) -> None:
        """Replace a datastore by another or by a given, decoded configuration: RFC 6241 section 7.3.

        Startup takes only what can be running, since the next start needs it, and not what may yet be
        rolled back. With `rights`, only what these permit to read is copied, and only to where they permit to
        write; but running is kept as startup by whoever may copy at all (RFC 8341 section 3.2.6). With `reshape`,
        what this makes of the source is copied.
        """
        if source == target:
            raise RpcError("invalid-value", f"source and target are both {target}", "protocol")
        self._locks.demand(session, target)
        # Candidate holds what is on trial, too.
        if target == "startup" and source in ("running", "candidate") and self._pending is not None:
            raise RpcError("in-use", "a confirmed commit is pending: confirm or cancel it first")
        tree = source if isinstance(source, Container) else self.get_config(source)
        asked = None if (source, target) == ("running", "startup") else rights
        if asked is not None and not isinstance(source, Container):
            tree = asked.readable(tree)
        tree = reshape(tree) if reshape else tree
        if asked is not None:
            asked.demand_change(self.get_config(target), tree)
        self._set(session, target, tree)

    def delete_config(self, session: int, target: Target) -> None:
        """Delete startup: the next start is one with the factory configuration.

        RFC 6241 section 7.4 forbids to delete running, and a candidate is not deleted but discarded.
        """
        if target != "startup":
            instead = "it can only be replaced" if target == "running" else "use discard-changes"
            raise RpcError("operation-not-supported", f"{target} cannot be deleted: {instead}", "protocol")
        self._locks.demand(session, target)
        self._set_startup(session, None)

    def validate(self, source: Target | Container) -> None:
        """Raise what a commit of this configuration would raise: RFC 6241 section 8.6.4.1."""
        self._judge(source if isinstance(source, Container) else self.get_config(source))

    def commit(
        self,
        session: int,
        *,
        confirm: Confirmation | None = None,
        persist_id: str | None = None,
        now_s: float = 0.0,
        rights: Rights | None = None,
    ) -> ConfirmEvent | None:
        """Make running what candidate is: RFC 6241 section 8.3.4.1. Running stays if anything refuses.

        With `confirm` only until it is confirmed: section 8.4. With `rights`, these must permit all that
        differs: RFC 8341 section 3.2.8. Tells what that meant for a confirmed commit.
        """
        self._locks.demand(session, "running", "candidate")
        demand_say(self._pending, session, persist_id)
        before, pending = self._running, self._pending
        if rights is not None:
            settle = partial(self._validator.settle, before)
            rights.demand_change(before, self.get_config("candidate"), settle)
        self._replace_running(session, self.get_config("candidate"), provisional=confirm is not None)
        self._candidate = None
        if confirm is None:
            self._pending = None
            return "complete" if pending else None
        if pending is None:
            self._pending = begin(before, session, now_s, confirm)
            return "start"
        self._pending = pending.extended(session, now_s, confirm)
        return "extend"

    def cancel_commit(self, session: int, persist_id: str | None = None) -> ConfirmEvent:
        """Undo a confirmed commit: RFC 6241 section 8.4.4.1."""
        demand_say(self._pending, session, persist_id)
        if self._pending is None:
            raise none_pending()
        self._locks.demand(session, "running")
        self._partial_locks.demand_change(session, self._running, self._pending.rollback)
        self._roll_back(self._pending, session)
        return "cancel"

    @property
    def due_s(self) -> float | None:
        """When `expire` must be called, None if nothing waits."""
        return self._pending.due_s if self._pending else None

    def expire(self, now_s: float) -> ConfirmEvent | None:
        """Undo a confirmed commit that was not confirmed in time."""
        if self._pending is None or now_s < self._pending.due_s:
            return None
        self._roll_back_unasked(self._pending)
        return "timeout"

    def discard_changes(self, session: int) -> None:
        """Make candidate what running is: RFC 6241 section 8.3.4.2."""
        self._locks.demand(session, "candidate")
        self._candidate = None

    @property
    def locks(self) -> Mapping[Target, Held]:
        """The datastores that are locked."""
        return self._locks.held

    def lock(self, session: int, target: Target, now: datetime) -> None:
        """Lock: RFC 6241 sections 7.5 and 8.3.5.2. A candidate with changes cannot be locked."""
        if target == "running":
            demand_lockable(self._pending, session)
            self._partial_locks.demand_none()
        if target == "candidate" and self._candidate is not None and self._locks.holder(target) is None:
            raise lock_denied("candidate has changes that are neither committed nor discarded", NO_SESSION)
        self._locks.take(target, session, now)

    def unlock(self, session: int, target: Target) -> None:
        """Unlock. With the lock of candidate its changes go: RFC 6241 section 8.3.5.2."""
        self._locks.give_back(target, session)
        if target == "candidate":
            self._candidate = None

    @property
    def partial_locks(self) -> Mapping[int, PartialLock]:
        """The parts of running that are locked, by lock-id."""
        return self._partial_locks.held

    def lock_parts(self, session: int, selects: tuple[str, ...], nodes: tuple[Path, ...], now: datetime) -> int:
        """Lock nodes of running, which `selects` selected, with all below; give the lock-id.

        RFC 5717 section 2.4.1. Not while running is locked as a whole, by whichever session.
        """
        demand_lockable(self._pending, session)
        holder = self._locks.holder("running")
        if holder is not None:
            raise lock_denied(f"running is locked as a whole by session {holder}", str(holder))
        return self._partial_locks.take(PartialLock(session, now, selects, nodes))

    def unlock_parts(self, session: int, lock_id: int) -> None:
        """Give a partial lock back."""
        self._partial_locks.give_back(lock_id, session)

    def end_session(self, session: int) -> ConfirmEvent | None:
        """Free the locks of a session that is gone; the changes in a candidate that it had locked go with it.

        So does its confirmed commit, unless that is persistent.
        """
        self._partial_locks.release(session)
        if "candidate" in self._locks.release(session):
            self._candidate = None
        if self._pending is None or self._pending.session != session:
            return None
        if self._pending.persist is not None:
            self._pending = self._pending.orphaned()
            return None
        self._roll_back_unasked(self._pending)
        return "cancel"

    def _set(self, session: int, target: Target, tree: Container) -> None:
        self._size_limit.demand(self.get_config(target), tree)
        if target == "running":
            self._replace_running(session, tree, provisional=self._pending is not None)
        elif target == "startup":
            self._judge(tree)
            self._set_startup(session, tree)
        else:
            before = self.get_config("candidate")
            follows = tree is self._running or same(self.schema, self._running, tree)
            self._candidate = None if follows else tree
            self._tell(target, session, before, self.get_config("candidate"))

    def _set_startup(self, session: int, tree: Container | None) -> None:
        before = self.get_config("startup")
        self._keep(tree)
        self._tell("startup", session, before, self.get_config("startup"))

    def _replace_running(self, session: int, proposed: Container, *, provisional: bool) -> None:
        """The only way to a new running; if it is provisional, the next start shall not load it.

        Raises RpcError(s), running, store and hardware being as before then.
        """
        unchanged = proposed is self._running or same(self.schema, self._running, proposed)
        if unchanged:
            proposed = self._running
        else:
            self._partial_locks.demand_change(session, self._running, proposed)
            self._judge(proposed)
        before, kept = self._running, self._kept
        if not (provisional or "startup" in self.targets):
            self._keep(proposed)
        if unchanged:
            return
        self._running = proposed
        try:
            self._hardware.apply(proposed)
        except Exception as error:
            _LOG.error("the device did not take a configuration: %s", _reason(error))
            raise self._fall_back(before, kept, error) from error
        self._tell("running", session, before, proposed)

    def _roll_back(self, pending: Pending, session: int | None = None) -> None:
        """Make running what it was before a confirmed commit. Raises RpcError if the device does not take it.

        The store has kept that configuration all the time, so running is it in any case.
        """
        self._pending = None
        before, self._running = self._running, pending.rollback
        if before is self._running:
            return
        try:
            self._hardware.apply(self._running)
        except Exception as error:
            message = f"running is as before the commit, but the device did not take it: {_reason(error)}"
            _LOG.critical("%s", message)
            raise RpcError("operation-failed", message) from error
        finally:
            self._tell("running", session, before, self._running)

    def _roll_back_unasked(self, pending: Pending) -> None:
        # Nobody waits for an answer; that it failed is in the log.
        with contextlib.suppress(RpcError):
            self._roll_back(pending)

    def _tell(self, target: Target, session: int | None, before: Container, after: Container) -> None:
        if before is after:
            return
        for watcher in self.watchers:
            try:
                watcher(Changed(target, session, before, after))
            except Exception as error:
                _LOG.error("a change of %s was not told to all: %s", target, _reason(error))

    def _judge(self, proposed: Container) -> None:
        self._validator.check(proposed)
        self._hardware.check(proposed)

    def _keep(self, tree: Container | None) -> None:
        """Make a configuration that of the next start; None: the factory's."""
        if tree is self._kept:
            return
        # While running is what is kept, whoever changes it has compared them already.
        elsewhere = None if self._kept is self._running else self._kept
        if elsewhere is not None and tree is not None and same(self.schema, elsewhere, tree):
            return
        try:
            self._store.save(tree)
        except StoreError as error:
            raise RpcError("resource-denied", f"the configuration cannot be kept: {error}") from error
        self._kept = tree

    def _fall_back(self, before: Container, kept: Container | None, error: Exception) -> RpcError:
        """Bring everything back to what it was, and give the error that says why."""
        self._running = before
        message = f"the device did not take the configuration, which is as before: {_reason(error)}"
        try:
            self._hardware.apply(before)
        except Exception as second:
            message = f"the device took neither the new configuration nor the old one again: {_reason(second)}"
            _LOG.critical("%s", message)
        try:
            self._keep(kept)
        except RpcError as second:
            message += f"; after a restart the refused configuration would come back: {second.message}"
            _LOG.critical("%s", message)
        return RpcError("operation-failed", message)


def _reason(error: Exception) -> str:
    # The text of an unforeseen exception may hold anything, secrets too.
    return str(error) if isinstance(error, SdqkdError) else type(error).__name__
