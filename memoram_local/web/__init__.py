"""The pages that people use: plain server-rendered HTML, complete without scripts."""
