"""What `tools/compile_models.py` makes of the models in `yang/`.

`schema/<set>.json` are the tables that the program reads at run time. `<name>.py` are typed classes for
programs that speak to a device; they need pyangbind (`pip install sdqkd[bindings]`). Only this file and
`json.py` are written by hand.
"""
