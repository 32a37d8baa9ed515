"""The live page and the API under it: a site on our own HTTP engine, on a port of its own, and not in the journal.

    service     listens, beside a running sandbox
    site        which function answers which path; the page's own files
    access      who asks, from where, and what they may see and change
    answers     JSON, problems (RFC 9457), parameters with limits
    rows        records as the API gives them
    live        the stream of events: made once for all who watch
    api/        one file per subject
    page/       HTML, CSS and ES modules, as they are sent
"""
