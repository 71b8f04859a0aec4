"""What every server needs: HTTP with its time limits, lines and events, keys, texts of servers."""
