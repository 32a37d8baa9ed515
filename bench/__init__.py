"""Side-by-side benchmarks: the sandbox, with its journal on, beside well-known servers on the same machine.

`python -m bench` runs them; docs/reference/benchmarks.md says what each number means and shows a run.
"""
