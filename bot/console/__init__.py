"""The web console: for supervisors' work that needs lists, tables and charts rather than a chat."""
