"""What is written to disk: files that are whole or absent, folders with one owner, figures."""
