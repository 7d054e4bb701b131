"""The documents, one file a format. They know the vocabulary and nothing else, least of all each other."""
