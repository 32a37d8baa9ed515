"""Turns records into sentences, from each protocol's knowledge.toml.

The knowledge of a protocol is data beside its code, `protocols/NAME/knowledge.toml`. A table per kind of thing,
one entry per term:

    [verb.GET]
    text = "GET asks for a copy of a page and changes nothing."
    rfc = "RFC 9110 §9.3.1"

    [status.404]
    name = "Not Found"
    text = "There is nothing at this address."
    more = "Check the spelling; the server cannot say whether it ever existed."
    rfc = "RFC 9110 §15.5.5"

text: one short, true, friendly sentence for a learner, as it stands in the live lines; more: what else is worth
knowing (optional); name: the term's official long name (optional); rfc: where it is defined. Kinds every protocol
may have: verb (what an exchange's verb can be), outcome or status (what its outcome can be), and kinds of its
own: header, type, class, flag, end ...
"""
