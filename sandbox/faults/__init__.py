"""Faults on demand: rules, and what they do.

A rule is a filter on what begins, which of those it strikes, and an action. `rule` reads and writes rules, `which`
counts, `actions/` has a file for each action, `faults` has all rules and is what the network asks, `held` has what
waits to be told to go on, `names` the names that need no rule. Nothing here knows a protocol's code: an answer is in
the protocol's words (`ScriptedAnswer`), and what changes octets is a stage that the network lets them pass.
"""
