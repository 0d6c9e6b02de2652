"""Keeps the network in its desired state: intent, plan, sessions, and changes that reach all devices or none.

inventory   network and inventory files, checked, as typed values
intent      what a network file wants of each device; what YANG cannot check in it: checks, with optics_checks,
            hub_checks and crowding
both_ends   what devices are told must fit; hub_ends: the same of the three of a link of three parties
routing     light paths of the links through the switches; obstacles says why there is none
plan        the difference between wanted and found, as a value; change_json and plan_text write it
coexistence what a plan does to QKD links beside classical light: brighter names the channels; stages splits
            plans that would harm a link on the way only; coexistence_text says it to people
connect     links with the devices: dialled over SSH or TLS; callers: those that call home
session     NETCONF with one device; fleet: with all of them at once
transaction the steps of a change over many devices, up to the decision
part        one device's share in it, and how it is reached
settle      brings every device to what was decided
recovery    the same for what a dead controller left undone
guarantee   how safely a device can be changed
footprint   what a change touches: two that do not meet can run side by side
gate        what stands between a provisional change and its confirmation
journal     what is written down before each step; journal_sqlite keeps it, journal_state reads it
clock       the time
status      what the links do
models      whether a device still has the YANG modules that a plan was made for
drift       what a device holds otherwise than is wanted; drift_rules: what to do about it; adopt: into the file
queue       work to be done, by device
watch       keeps devices in their desired state: watch_sessions, _events, _file, _journal, _report are its parts
alarms      what is wrong, as state; alarm_store keeps it, alarm_board tells of changes
controller  the facade that the command line uses

Pure but for callers, session, fleet, part, settle, transaction, recovery, journal_sqlite, watch and controller.
Connections come in through a Protocol.
"""
