"""The web console: supervisors' work where lists, tables and pictures are better than a chat."""
