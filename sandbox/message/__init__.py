"""One reading of a mail message, for all who look at one: IMAP, `sandbox mail`, the page, tests.

It takes octets as they are stored, in whatever state, and is tolerant as RFC 5322 §4 and RFC 2045 ask. Nothing here
raises for anything a message can hold, does I/O, or takes more than linear time; what is not understood is shown as
it was written. `headers` finds fields and `scan` parts with their places; `addresses`, `parameters` and `dates` read
what is in a field; `words`, `charsets` and `transfer` undo encodings; `text`, `html` and `links` are about what
people read; `message` puts it together, in a class `Message`. Servers import no more of it than they need.
"""
