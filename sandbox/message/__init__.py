"""A message's structure, read from its octets as they are stored, whatever state they are in.

`scan` finds the parts with their places; `addresses` and `structure` write what ENVELOPE and BODYSTRUCTURE say of
them; `text` decodes what people search for. Nothing here raises for anything a message can hold.
"""
