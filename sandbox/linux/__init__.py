"""System calls of Linux that Python does not offer, each with what to do where it is missing."""
