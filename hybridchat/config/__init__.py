"""Settings: flags, environment and files become one frozen object that knows its sources."""
