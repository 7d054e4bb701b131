"""The ways to store tags, one file each; every one compiles to `model.Shape`."""
