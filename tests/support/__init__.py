"""What the outside tests share. Nothing here knows the server but by HTTP, SQL and its command line."""
