"""Files: homes, sites and the public folder, walked so that no path leads out."""
