"""The datastores of one device and the operations on them: RFC 6241 sections 7 and 8.2 to 8.6.

Trees are persistent, so a candidate without changes is running itself and a rollback is a pointer. A change of
running goes one way only, `_replace_running`: judge, save, swap, apply.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Literal, TypeAlias

from lxml import etree

from sdqkd.datastore.locks import NO_SESSION, Locks, Target, lock_denied
from sdqkd.datastore.part_edits import edit_parts, listed
from sdqkd.datastore.ports import Hardware, Store
from sdqkd.errors import RpcError, RpcErrors, SdqkdError, StoreError
from sdqkd.schema.diff import same
from sdqkd.schema.edit import edit_noting
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container, merge
from sdqkd.schema.validate import Validator

TestOption: TypeAlias = Literal["test-then-set", "set", "test-only"]
ErrorOption: TypeAlias = Literal["stop-on-error", "continue-on-error", "rollback-on-error"]
DefaultOperation: TypeAlias = Literal["merge", "replace", "none"]

_LOG = logging.getLogger(__name__)


class Datastores:
    """Running and candidate, with their locks. Sessions are their ids; a refusal is an RpcError or RpcErrors."""

    def __init__(
        self, schema: Schema, validator: Validator, hardware: Hardware, store: Store, running: Container
    ) -> None:
        self.schema = schema
        self._validator = validator
        self._hardware = hardware
        self._store = store
        self._running = running
        self._candidate: Container | None = None  # None: without changes, it follows running
        self._locks = Locks()

    def get_config(self, source: Target) -> Container:
        """Give a whole datastore."""
        if source == "running" or self._candidate is None:
            return self._running
        return self._candidate

    def get(self) -> Container:
        """Give running with what the hardware reports now."""
        return merge(self.schema, self._running, self._hardware.state())

    def edit_config(
        self,
        session: int,
        target: Target,
        config: etree._Element,
        *,
        default_operation: DefaultOperation = "merge",
        test_option: TestOption | None = None,
        error_option: ErrorOption = "stop-on-error",
    ) -> None:
        """Edit by the <config> element: RFC 6241 section 7.2.

        Running is validated whatever `test_option` says, candidate only when it is given: RFC 7950 section
        8.3.3 puts that off to the commit. An edit is done as a whole or not at all, unless `error_option` is
        continue-on-error: then the parts without error are done, and RpcErrors tells of the others.
        """
        self._locks.demand(session, target)
        before = self.get_config(target)
        edit = partial(self._edit, default_operation)
        # A request to replace the whole datastore cannot be done in parts.
        if error_option != "continue-on-error" or default_operation == "replace":
            self._finish_edit(target, edit(before, config), test_option)
            return
        edited, errors = edit_parts(self.schema, edit, before, config)
        try:
            self._finish_edit(target, edited, test_option)
        except (RpcError, RpcErrors) as error:
            errors += listed(error)
        if errors:
            raise RpcErrors(errors)

    def _edit(self, default_operation: DefaultOperation, before: Container, config: etree._Element) -> Container:
        edited = edit_noting(self.schema, before, config, default_operation)
        return self._validator.settle(before, edited.tree, edited.named)

    def _finish_edit(self, target: Target, edited: Container, test_option: TestOption | None) -> None:
        if test_option == "test-only" or (test_option == "test-then-set" and target == "candidate"):
            self._judge(edited)
        if test_option != "test-only":
            self._set(target, edited)

    def copy_config(self, session: int, source: Target | Container, target: Target) -> None:
        """Replace a datastore by another or by a given, decoded configuration: RFC 6241 section 7.3."""
        if source == target:
            raise RpcError("invalid-value", f"source and target are both {target}", "protocol")
        self._locks.demand(session, target)
        self._set(target, source if isinstance(source, Container) else self.get_config(source))

    def delete_config(self, target: Target) -> None:
        """Refuse: RFC 6241 section 7.4 forbids to delete running, and a candidate is not deleted but discarded."""
        instead = "it can only be replaced" if target == "running" else "use discard-changes"
        raise RpcError("operation-not-supported", f"{target} cannot be deleted: {instead}", "protocol")

    def validate(self, source: Target | Container) -> None:
        """Raise what a commit of this configuration would raise: RFC 6241 section 8.6.4.1."""
        self._judge(source if isinstance(source, Container) else self.get_config(source))

    def commit(self, session: int) -> None:
        """Make running what candidate is: RFC 6241 section 8.3.4.1. Running stays if anything refuses."""
        self._locks.demand(session, "running", "candidate")
        if self._candidate is not None:
            self._replace_running(self._candidate)
            self._candidate = None

    def discard_changes(self, session: int) -> None:
        """Make candidate what running is: RFC 6241 section 8.3.4.2."""
        self._locks.demand(session, "candidate")
        self._candidate = None

    def lock(self, session: int, target: Target) -> None:
        """Lock: RFC 6241 sections 7.5 and 8.3.5.2. A candidate with changes cannot be locked."""
        if target == "candidate" and self._candidate is not None and self._locks.holder(target) is None:
            raise lock_denied("candidate has changes that are neither committed nor discarded", NO_SESSION)
        self._locks.take(target, session)

    def unlock(self, session: int, target: Target) -> None:
        """Unlock. With the lock of candidate its changes go: RFC 6241 section 8.3.5.2."""
        self._locks.give_back(target, session)
        if target == "candidate":
            self._candidate = None

    def end_session(self, session: int) -> None:
        """Free the locks of a session that is gone; the changes in a candidate that it had locked go with it."""
        if "candidate" in self._locks.release(session):
            self._candidate = None

    def _set(self, target: Target, tree: Container) -> None:
        if target == "running":
            self._replace_running(tree)
        elif tree is self._running or same(self.schema, self._running, tree):
            self._candidate = None
        else:
            self._candidate = tree

    def _replace_running(self, proposed: Container) -> None:
        """The only way to a new running. Raises RpcError(s), running, store and hardware being as before then."""
        if proposed is self._running or same(self.schema, self._running, proposed):
            return
        self._judge(proposed)
        self._save(proposed)
        before, self._running = self._running, proposed
        try:
            self._hardware.apply(proposed)
        except Exception as error:
            _LOG.error("the device did not take a configuration: %s", _reason(error))
            raise self._fall_back(before, error) from error

    def _judge(self, proposed: Container) -> None:
        self._validator.check(proposed)
        self._hardware.check(proposed)

    def _save(self, proposed: Container) -> None:
        try:
            self._store.save(proposed)
        except StoreError as error:
            raise RpcError("resource-denied", f"the configuration cannot be kept: {error}") from error

    def _fall_back(self, before: Container, error: Exception) -> RpcError:
        """Bring everything back to what it was, and give the error that says why."""
        self._running = before
        message = f"the device did not take the configuration, which is as before: {_reason(error)}"
        try:
            self._hardware.apply(before)
        except Exception as second:
            message = f"the device took neither the new configuration nor the old one again: {_reason(second)}"
            _LOG.critical("%s", message)
        try:
            self._store.save(before)
        except StoreError as second:
            message += f"; after a restart the refused configuration would come back: {second}"
            _LOG.critical("%s", message)
        return RpcError("operation-failed", message)


def _reason(error: Exception) -> str:
    # The text of an unforeseen exception may hold anything, secrets too.
    return str(error) if isinstance(error, SdqkdError) else type(error).__name__
