"""The index: the relation of taggings kept inside the user's file, sorted, counted, and kept true by triggers of plain SQL."""
