"""The physics against what was published: `python -m tools.physics_table` writes docs/physics.md."""
