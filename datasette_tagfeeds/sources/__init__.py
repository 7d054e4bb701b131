"""The ways to store tags, one file each; every one becomes `model.Taggings`, which `taggings` turns into questions."""
