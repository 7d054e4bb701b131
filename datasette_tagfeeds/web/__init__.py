"""HTTP: from a request to a question, and from the answer to a response."""
