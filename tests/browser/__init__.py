"""The web console in a real browser. A separate command: it needs Chromium."""
