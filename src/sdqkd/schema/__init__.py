"""Compiled models, data trees, paths, diff, edit, codecs and validation. No I/O but reading the models.

table                     what the models say, as `tools/compile_models.py` wrote it down
sources, vocabulary       the text of the YANG modules; all the names in them
tree, path, draft         trees, where in them, many changes to one; `reader` reads them as plain values
types, patterns, formats  values: from what somebody wrote to the canonical text
xml, json, yaml           trees from and to documents; `elements` is one XML element against the schema
edit, attributes, working edit-config: a request applied to a tree
diff, changes             the difference of two trees; the same as a request
filter, pick              subtree filters; parts of a tree by their paths
effort                    how much work one request may make
defaults, marked          the default values in use; trees with marks on defaults or of origin
xpath, xpath_…            XPath: expressions as trees, and their evaluation over data trees
validate, findings        whole trees, judged by libyang, its findings as rpc-errors
reach, delta, free        of a change: what must be judged, and what nobody needs to judge; `constraints` say it
problems                  the rpc-errors that reading and editing share
"""
