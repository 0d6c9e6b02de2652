"""Inventory, intent, plan, sessions with devices and apply. What can be pure is pure."""
