"""The least of a Django site that has a feed of each tag, for comparison."""
