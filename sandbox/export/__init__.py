"""What the sandbox has, in the formats of other programs: one file per format."""
