"""The console: supervisors' work where lists, tables and pictures serve better than a chat."""
