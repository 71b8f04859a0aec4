"""Line mode: a turn as plain text or JSON Lines, for terminals, pipes, screen readers and programs."""
