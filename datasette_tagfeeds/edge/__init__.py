"""What goes out by itself: caches and hubs are told what changed, and files are written."""
