"""The API, version 1: one file per subject, each of which adds its operations to the table.

`OPERATIONS` is filled by `Operations.add`; the routes and the OpenAPI document are both made from it, so that neither
can say more than the other.
"""
