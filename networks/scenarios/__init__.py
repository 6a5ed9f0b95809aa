"""The scenarios we ship: plain netconvert sources, the built net, an hour of demand, an engineer's plan.

`build` draws them anew from `cross_scene`, `corridor_scene` and `grid_scene`; nothing here is needed to run them.
"""
