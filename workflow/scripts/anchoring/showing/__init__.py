"""What people look at: figures, captions, tables, pages."""
